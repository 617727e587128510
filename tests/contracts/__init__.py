"""One suite for each interface, run on all that implement it."""

import pytest

pytest.register_assert_rewrite("tests.contracts.engine", "tests.contracts.engine_search")
