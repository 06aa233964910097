"""Fixtures for all tests."""

from tests.running_server import running_server

__all__ = ["running_server"]
