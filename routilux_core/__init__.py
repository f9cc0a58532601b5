"""Routilux: an event-driven workflow framework made of plugins."""

from importlib import import_module
from typing import TYPE_CHECKING

from routilux_core.activation import Activation
from routilux_core.component import Component
from routilux_core.connection import Connection
from routilux_core.context import ExecutionContext
from routilux_core.convert import Converter
from routilux_core.current import get_execution_context
from routilux_core.default import get_job_manager
from routilux_core.definition_errors import (
    AmbiguousClass,
    InvalidField,
    MissingSecret,
    NotRebuildable,
    UnknownClass,
)
from routilux_core.discovery import PluginWarning
from routilux_core.document_errors import (
    InvalidDocument,
    NewerSchema,
    NotSerializable,
    UnknownKey,
    UnknownTag,
)
from routilux_core.error_handler import ErrorHandler, ErrorStrategy
from routilux_core.error_record import ErrorRecord
from routilux_core.errors import (
    DeliveryError,
    DuplicateName,
    InvalidFlow,
    InvalidHandler,
    InvalidMapping,
    InvalidName,
    InvalidOption,
    InvalidPayload,
    InvalidSetting,
    MissingComponent,
    MissingField,
    PluginError,
    RoutiluxError,
    UnknownComponent,
    UnknownEvent,
    UnknownName,
    UnknownOption,
    UnknownRoutine,
    UnknownSlot,
    UnreadableSettings,
)
from routilux_core.executor import Executor, Lane, Traits
from routilux_core.fact import Fact
from routilux_core.facts import (
    ActivationCompleted,
    ActivationFailed,
    ActivationRetried,
    ActivationReturned,
    ActivationSkipped,
    ActivationStarted,
    ActivationYielded,
    DeferredEventAdded,
    DeferredEventReleased,
    DeferredEventsLeft,
    DeliveryFailed,
    DeliveryRetried,
    EventEmitted,
    EventPosted,
    ExecutionRecorded,
    JobCancelled,
    JobCompleted,
    JobForked,
    JobMoved,
    JobPaused,
    JobResumed,
    JobStarted,
    JobStopped,
    JobSubmitted,
    OutputSent,
    PauseRequested,
    PayloadHeld,
    PayloadMerged,
    PayloadsReleased,
    PayloadsUnmatched,
    RoutineStateUpdated,
    SharedDataSet,
    SharedLogAppended,
    StatIncremented,
    StatSet,
)
from routilux_core.flow import Flow
from routilux_core.function import routine
from routilux_core.job import Job
from routilux_core.job_errors import (
    ActivationTimeout,
    CannotTravel,
    FlowMismatch,
    InsideJob,
    InvalidTransition,
    JobFailed,
    JobLeft,
    JobTimeout,
    ManagerClosed,
    NoActiveJob,
    NoStore,
    OutsideProcess,
    PoisonedActivation,
    RemoteError,
    RemoteTraceback,
    RunawayLoop,
    TooMuchPending,
    UnknownJob,
    VetoedJob,
    WorkerLost,
)
from routilux_core.manager import JobManager
from routilux_core.markers import hookimpl
from routilux_core.monitor_queue import MonitorQueue
from routilux_core.observers import Monitor
from routilux_core.outcome import Outcome
from routilux_core.outputs import CallbackOutputHandler, NullOutputHandler, OutputHandler, QueueOutputHandler
from routilux_core.parcel import Blueprint, Parcel, packed, unpacked
from routilux_core.plugin import Plugin, PluginStatus
from routilux_core.policy import Policy, all_sources, at_end, batch, each
from routilux_core.record import ExecutionRecord
from routilux_core.registrar import Registrar
from routilux_core.registry import Registry
from routilux_core.routine import Routine
from routilux_core.secret import Secret
from routilux_core.settings import Settings
from routilux_core.slot import Event, Slot, slot
from routilux_core.state import JobState
from routilux_core.status import ExecutionStatus
from routilux_core.validation import Problem

if TYPE_CHECKING:
    from routilux_core.description import Description, FieldDescription, PortDescription
    from routilux_core.history_page import HistoryPage
    from routilux_core.job_summary import JobSummary
    from routilux_core.outpost import Outpost
    from routilux_core.reply import Reply, packed_replies
    from routilux_core.standing import Standing
    from routilux_core.store import (
        Claim,
        Commit,
        Entry,
        Head,
        Kept,
        Listed,
        Request,
        Snapshot,
        Store,
    )
    from routilux_core.store_errors import (
        ClaimLost,
        ClaimRefused,
        DamagedStore,
        InvalidStoreURL,
        NewerStore,
        StoreError,
        StoreUnavailable,
    )
    from routilux_core.store_url import StoreURL

LATE = {
    "description": "Description FieldDescription PortDescription",
    "history_page": "HistoryPage",
    "job_summary": "JobSummary",
    "outpost": "Outpost",
    "reply": "Reply packed_replies",
    "standing": "Standing",
    "store": "Claim Commit Entry Head Kept Listed Request Snapshot Store",
    "store_errors": "ClaimLost ClaimRefused DamagedStore InvalidStoreURL NewerStore StoreError "
    "StoreUnavailable",
    "store_url": "StoreURL",
}
"""What few programs need, by module: it is imported when somebody asks for it."""

__all__ = [
    "Activation",
    "ActivationCompleted",
    "ActivationFailed",
    "ActivationRetried",
    "ActivationReturned",
    "ActivationSkipped",
    "ActivationStarted",
    "ActivationTimeout",
    "ActivationYielded",
    "AmbiguousClass",
    "Blueprint",
    "CallbackOutputHandler",
    "CannotTravel",
    "Claim",
    "ClaimLost",
    "ClaimRefused",
    "Commit",
    "Component",
    "Connection",
    "Converter",
    "DamagedStore",
    "DeferredEventAdded",
    "DeferredEventReleased",
    "DeferredEventsLeft",
    "DeliveryError",
    "DeliveryFailed",
    "DeliveryRetried",
    "Description",
    "DuplicateName",
    "Entry",
    "ErrorHandler",
    "ErrorRecord",
    "ErrorStrategy",
    "Event",
    "EventEmitted",
    "EventPosted",
    "ExecutionContext",
    "ExecutionRecord",
    "ExecutionRecorded",
    "ExecutionStatus",
    "Executor",
    "Fact",
    "FieldDescription",
    "Flow",
    "FlowMismatch",
    "Head",
    "HistoryPage",
    "InsideJob",
    "InvalidDocument",
    "InvalidField",
    "InvalidFlow",
    "InvalidHandler",
    "InvalidMapping",
    "InvalidName",
    "InvalidOption",
    "InvalidPayload",
    "InvalidSetting",
    "InvalidStoreURL",
    "InvalidTransition",
    "Job",
    "JobCancelled",
    "JobCompleted",
    "JobFailed",
    "JobForked",
    "JobLeft",
    "JobManager",
    "JobMoved",
    "JobPaused",
    "JobResumed",
    "JobStarted",
    "JobState",
    "JobStopped",
    "JobSubmitted",
    "JobSummary",
    "JobTimeout",
    "Kept",
    "Lane",
    "Listed",
    "ManagerClosed",
    "MissingComponent",
    "MissingField",
    "MissingSecret",
    "Monitor",
    "MonitorQueue",
    "NewerSchema",
    "NewerStore",
    "NoActiveJob",
    "NoStore",
    "NotRebuildable",
    "NotSerializable",
    "NullOutputHandler",
    "Outcome",
    "Outpost",
    "OutputHandler",
    "OutputSent",
    "OutsideProcess",
    "Parcel",
    "PauseRequested",
    "PayloadHeld",
    "PayloadMerged",
    "PayloadsReleased",
    "PayloadsUnmatched",
    "Plugin",
    "PluginError",
    "PluginStatus",
    "PluginWarning",
    "PoisonedActivation",
    "Policy",
    "PortDescription",
    "Problem",
    "QueueOutputHandler",
    "Registrar",
    "Registry",
    "RemoteError",
    "RemoteTraceback",
    "Reply",
    "Request",
    "RoutiluxError",
    "Routine",
    "RoutineStateUpdated",
    "RunawayLoop",
    "Secret",
    "Settings",
    "SharedDataSet",
    "SharedLogAppended",
    "Slot",
    "Snapshot",
    "Standing",
    "StatIncremented",
    "StatSet",
    "Store",
    "StoreError",
    "StoreURL",
    "StoreUnavailable",
    "TooMuchPending",
    "Traits",
    "UnknownClass",
    "UnknownComponent",
    "UnknownEvent",
    "UnknownJob",
    "UnknownKey",
    "UnknownName",
    "UnknownOption",
    "UnknownRoutine",
    "UnknownSlot",
    "UnknownTag",
    "UnreadableSettings",
    "VetoedJob",
    "WorkerLost",
    "all_sources",
    "at_end",
    "batch",
    "each",
    "get_execution_context",
    "get_job_manager",
    "hookimpl",
    "packed",
    "packed_replies",
    "routine",
    "slot",
    "unpacked",
]


def __getattr__(name: str) -> object:
    for module, names in LATE.items():
        if name in names.split():
            found: object = getattr(import_module(f"{__name__}.{module}"), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
