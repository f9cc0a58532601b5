"""Routilux: an event-driven workflow framework made of plugins."""

from routilux_core.activation import Activation
from routilux_core.connection import Connection
from routilux_core.context import ExecutionContext
from routilux_core.current import get_execution_context
from routilux_core.default import get_job_manager
from routilux_core.error_handler import ErrorHandler, ErrorStrategy
from routilux_core.errors import *  # noqa: F403 - every error is public
from routilux_core.executor import Executor, Lane, Traits
from routilux_core.facts import *  # noqa: F403 - every fact is public
from routilux_core.flow import Flow
from routilux_core.function import routine
from routilux_core.job import Job
from routilux_core.manager import JobManager
from routilux_core.markers import hookimpl
from routilux_core.observers import Monitor
from routilux_core.outcome import ErrorRecord, Outcome
from routilux_core.outputs import CallbackOutputHandler, NullOutputHandler, OutputHandler, QueueOutputHandler
from routilux_core.policy import Policy, all_sources, at_end, batch, each
from routilux_core.record import ExecutionRecord
from routilux_core.registry import Registrar, Registry
from routilux_core.routine import Routine
from routilux_core.settings import Settings
from routilux_core.slot import Event, Slot, slot
from routilux_core.state import JobState
from routilux_core.status import ExecutionStatus
from routilux_core.validation import Problem
