"""The outside world behind protocols; a setting picks the implementation."""
