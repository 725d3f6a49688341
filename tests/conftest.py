"""What every test can ask for: a PostgreSQL database, a browser."""

pytest_plugins = ["tests.chromium", "tests.postgres", "tests.migrated"]  # the last imports the one before
