"""RabbitMQ: messages in quorum queues, on every node."""
