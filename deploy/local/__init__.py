"""The embedded stack: Apache Kafka, PostgreSQL, the three services and a demo feed on one bare machine."""
