"""The peer of the ingest benchmark: a bare FastAPI app that only produces the body with acks=all."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold one producer."""
    app.state.producer = AIOKafkaProducer(bootstrap_servers=os.environ["BARE_KAFKA"], acks="all")
    await app.state.producer.start()
    yield
    await app.state.producer.stop()


app = FastAPI(lifespan=lifespan)


@app.post("/{key}")
async def produce(key: str, request: Request) -> Response:
    """Nothing but the record."""
    body = await request.body()
    await app.state.producer.send_and_wait(os.environ["BARE_TOPIC"], value=body, key=key.encode())
    return Response(status_code=202)


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(os.environ["BARE_PORT"]), log_level="warning", access_log=False
    )
