"""Whatever is asked that the description allows, and much that it does not, the answer is as described and never a 500."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.config import GenerationConfig, SchemathesisConfig

from tests.doubles.page_rig import TOKEN, PageRig
