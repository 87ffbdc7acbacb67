"""`make bench`: Tortoise beside other ways to call Python from PHP, and beside the machine's floor, in one run."""
