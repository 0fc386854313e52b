"""What the history costs: processor time a value, bytes a value, and what a day of it writes."""

import asyncio
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from collector.config.plan import DevicePlan, Plan, PollGroup
from collector.history.history import History
from collector.polling.scan import Scan
from collector.status.board import Board
from protocols.base import Value
from protocols.shortest import shortest_single
from tests.benchmarks.figures import Figure, Target
from tests.doubles.clock import FakeClock
from tests.doubles.scans import plain_device, scan_of

_TAGS = 1_000
_DAY_S = 86_400
