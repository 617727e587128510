"""A clock that does not wait, and a repository that misbehaves on request."""
