"""The Python side of Tortoise: the sessions in which PHP's calls run."""
