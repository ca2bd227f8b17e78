"""Real servers for the tests: Kafka, PostgreSQL and Mosquitto, on loopback, gone when the run is over."""
