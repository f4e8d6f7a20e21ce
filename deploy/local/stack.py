"""The whole product on one machine: broker, database, three services, and the feed.

    Kafka    ─┐
              ├─> migrations, topics ─> ingest, autoqa, metrics ─> demo tenant ─> feed
    Postgres ─┘

Blocking: call it from a thread where an event loop runs. Every child ends with the process that started it.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Literal, Self

from deploy.local import credentials, demo, leftovers
from deploy.local.environment import migration_settings, service_environment
from deploy.local.errors import StackError
from deploy.local.home import check_room, claim
from deploy.local.kafka import Kafka
from deploy.local.ports import free_ports, require_free
from deploy.local.postgres import Postgres
from deploy.local.prepare import create_topics, migrate
from deploy.local.process import cut_log
from deploy.local.service import Service, child_environment
from deploy.local.settings import LocalSettings
from deploy.local.together import together

ServiceName = Literal["ingest", "autoqa", "metrics"]
SERVICES: Final[tuple[ServiceName, ...]] = ("ingest", "autoqa", "metrics")
_MODULES: Final[Mapping[ServiceName, str]] = {name: f"services.{name}" for name in SERVICES}
_GRACE: Final = 5.0
"""Seconds a service has to finish what it is at; what it does not finish is read from the broker again."""


def _quiet(_: str) -> None:
    """Say nothing."""


@dataclass(slots=True, kw_only=True)
class Stack:
    """One embedded stack; `with Stack(...) as stack` starts and stops it."""

    settings: LocalSettings
    """Its ports and its folder."""
    feed: bool = False
    """Whether demo conversations are sent."""
    say: Callable[[str], None] = _quiet
    """Told of every step."""
    modules: Mapping[ServiceName, str] = field(default_factory=lambda: _MODULES)
    """What `python -m` runs for each service; tests of the stack itself put stubs here."""
    extra: dict[str, str] = field(default_factory=dict)
    """Further variables for the services, e.g. `AUTOQA_BATCH_TOKENS`; each gets those with its prefix."""
    kafka: Kafka = field(init=False)
    postgres: Postgres = field(init=False)
    services: dict[ServiceName, Service] = field(init=False)
    feeder: Service = field(init=False)
    _passwords: dict[str, str] = field(default_factory=dict, init=False)
    _lock: IO[str] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        home, settings = self.settings.home, self.settings
        self.kafka = Kafka(
            data_dir=home / "kafka",
            port=settings.kafka_port,
            log_file=self.logs / "kafka.log",
            cache=settings.cache,
            kafka_home=settings.kafka_home,
            repository=settings.maven_repository,
            say=self.say,
        )
        self.postgres = Postgres(
            data_dir=home / "postgres",
            port=settings.postgres_port,
            password="",
            log_file=self.logs / "postgres.log",
            say=self.say,
        )
        self.services = {
            "ingest": self._service("ingest", settings.ingest_port),
            "autoqa": self._service("autoqa", settings.autoqa_port),
            "metrics": self._service("metrics", settings.metrics_port),
        }
        feed_settings = child_environment({"FEED_ENV_FILE": str(self.env_file)}, prefix="FEED_")
        self.feeder = self._program("feed", ["deploy.local.feed"], feed_settings, None)

    @classmethod
    def on_free_ports(
        cls,
        home: Path,
        *,
        feed: bool = False,
        extra: dict[str, str] | None = None,
        modules: Mapping[ServiceName, str] = _MODULES,
    ) -> Self:
        """A second stack in a folder of its own, for tests and benchmarks."""
        names = ("ingest_port", "autoqa_port", "metrics_port", "kafka_port", "postgres_port")
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        settings = LocalSettings().model_copy(update={**ports, "home": home})
        return cls(settings=settings, feed=feed, extra=extra or {}, modules=modules)

    @property
    def logs(self) -> Path:
        """One file per child."""
        return self.settings.home / "logs"

    @property
    def env_file(self) -> Path:
        """Addresses, keys and secrets of the demo tenant."""
        return self.settings.home / "demo.env"

    @property
    def env(self) -> dict[str, str]:
        """The lines of `env_file`."""
        return demo.read_env(self.env_file)

    def start(self) -> None:
        """Return once all is ready. Raises StackError, with everything stopped again, when it cannot."""
        self._lock = claim(self.settings.home)
        try:
            check_room(self.settings.home)
            self._stop_leftovers()
            self._check_ports()
            self.say(f"Starting in {self.settings.home}")
            self._passwords = credentials.load_or_create(
                self.settings.home / "secrets.json", data_exist=self.postgres.has_data
            )
            self._start_all()
        except BaseException:
            self.stop()
            raise

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the folder without starting anything. Raises StackError while a stack runs in it."""
        self._lock = claim(self.settings.home)
        try:
            self._stop_leftovers()
            yield
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop the feed, then the services, then broker and database, within ten seconds. Safe to repeat."""
        self.feeder.stop(timeout=1.0)
        together([partial(self._stop_service, service) for service in self.services.values()])
        together([partial(self.kafka.stop, timeout=3.5), partial(self.postgres.stop, timeout=3.5)])
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _stop_service(self, service: Service) -> None:
        if not service.stop(timeout=_GRACE):
            self.say(f"{service.name} did not stop in {_GRACE:.0f} s and was killed: nothing is lost by it")

    def kill_service(self, name: ServiceName) -> None:
        """SIGKILL to one service."""
        self.services[name].kill()

    def restart_service(self, name: ServiceName) -> None:
        """Start a service that is down and wait until it is ready."""
        service = self.services[name]
        service.stop(timeout=5.0)
        service.start()
        service.wait_ready()

    def cut_logs(self) -> None:
        """Keep the logs of all children bounded."""
        for log_file in self.logs.glob("*.log"):
            cut_log(log_file)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_all(self) -> None:
        self.postgres.password = self._passwords["postgres"]
        fresh = not self.postgres.has_data
        with self._timed("Kafka and PostgreSQL accept connections"):
            together([self.kafka.start, self.postgres.start])
        with self._timed("Database and topics are up to date"):
            settings = migration_settings(self.settings.postgres_port, self._passwords)
            note = self.settings.home / "migrated"
            together(
                [
                    partial(migrate, settings, note=note, fresh=fresh),
                    partial(create_topics, self.kafka.bootstrap, note=self.kafka.data_dir / "topics"),
                ]
            )
        for name in SERVICES:
            # Made anew, now that the passwords are known.
            self.services[name] = self._service(name, self.settings.ports()[f"{name.upper()}_PORT"])
            self.services[name].start()
        waits = [self._waiter(name) for name in SERVICES]
        if fresh or not self.env_file.exists():
            self.say("Making the demo tenant with its API keys and webhook sources")
            waits.append(self._seed)
        together(waits)
        self._refresh_addresses()
        if self.feed:
            self.feeder.start()

    def _waiter(self, name: ServiceName) -> Callable[[], None]:
        def wait() -> None:
            with self._timed(f"{name} is ready"):
                self.services[name].wait_ready()

        return wait

    def _service(self, name: ServiceName, port: int) -> Service:
        extra = {"INGEST_DEFAULT_TENANT": demo.TENANT, **self.extra}
        environment = service_environment(
            name,
            port=port,
            bootstrap=self.kafka.bootstrap,
            postgres_port=self.settings.postgres_port,
            password=self._passwords.get(name, ""),
            extra=extra,
        )
        return self._program(name, [self.modules[name], "serve"], environment, port)

    def _program(
        self, name: str, arguments: list[str], environment: Mapping[str, str], port: int | None
    ) -> Service:
        return Service(
            name=name,
            arguments=arguments,
            environment=environment,
            port=port,
            log_file=self.logs / f"{name}.log",
            pid_file=self.settings.home / "run" / f"{name}.pid",
        )

    def _seed(self) -> None:
        made: dict[str, str] = {}

        def make(maker: Callable[[str, Mapping[str, str]], dict[str, str]], name: ServiceName) -> None:
            made.update(maker(self.modules[name], self.services[name].environment))

        together([partial(make, demo.make_keys, "metrics"), partial(make, demo.make_sources, "ingest")])
        demo.write_env(self.env_file, {**self._addresses(), **made})
        self.say(f"The demo tenant's keys and webhook secrets are in {self.env_file}")

    def _addresses(self) -> dict[str, str]:
        urls = {f"{name.upper()}_URL": self.services[name].url for name in SERVICES}
        return {**urls, "KAFKA_BOOTSTRAP": self.kafka.bootstrap}

    def _refresh_addresses(self) -> None:
        """Ports may have moved since the file was written."""
        kept = self.env
        if kept != {**kept, **self._addresses()}:
            demo.write_env(self.env_file, {**kept, **self._addresses()})

    def _stop_leftovers(self) -> None:
        for service in (self.feeder, *self.services.values()):
            leftovers.stop(service.name, service.pid_file, say=self.say)
        self.kafka.clear_leftovers()
        self.postgres.clear_leftovers()

    def _check_ports(self) -> None:
        owners = {"KAFKA_PORT": "Kafka", "POSTGRES_PORT": "PostgreSQL"}
        taken: dict[int, str] = {}
        for setting, port in self.settings.ports().items():
            if port in taken:
                raise StackError(f"{setting} and {taken[port]} are both {port}: each needs a port of its own")
            taken[port] = setting
            require_free(
                port, owner=owners.get(setting, setting.removesuffix("_PORT").lower()), setting=setting
            )

    @contextlib.contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        start = time.monotonic()
        yield
        self.say(f"{what} ({time.monotonic() - start:.1f} s)")
