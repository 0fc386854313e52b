"""Ways out beside the broker, each with an outbox of its own, so that none can hold up another."""
