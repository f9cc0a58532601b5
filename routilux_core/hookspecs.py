"""The hooks: everything that a plugin may do, besides offering components by name.

Each docstring has the same four lines. Hooks are bound once per job; one that nobody has costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core.markers import hookspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from routilux_core.activation import Activation
    from routilux_core.convert import Converter
    from routilux_core.fact import Fact
    from routilux_core.flow import Flow
    from routilux_core.job import Job
    from routilux_core.manager import JobManager
    from routilux_core.registrar import Registrar
    from routilux_core.validation import Problem


@hookspec
def register_components(registrar: Registrar) -> None:
    """Offer executors, stores, monitors, routines, flows and policies by name.

    Called: once for each plugin, while a manager boots.
    Returns: nothing; call the registrar's methods.
    Raises: the plugin is left out and named in a warning; chosen by name, it is an error.
    Cost: keep it to registering; import heavy libraries in the factory.
    """


@hookspec
def extend_converter(converter: Converter) -> None:
    """Teach more types, so that payloads and configuration may hold them.

    Called: once for each plugin, while a manager boots, after `register_components`.
    Returns: nothing; call `converter.teach`, or register hooks with `converter.cattrs`.
    Raises: the plugin is left out and named in a warning; chosen by name, it is an error.
    Cost: keep it to registering; a type whose library is not imported cannot be met either.
    """


@hookspec
def check_flow(flow: Flow) -> Iterable[Problem]:  # type: ignore[empty-body]  # a hook is what it says
    """Look a flow over.

    Called: by `flow.validate()`, and once for each compiled flow before its first job.
    Returns: problems; a fatal one keeps the flow from running.
    Raises: `PluginError` for the caller, from the error.
    Cost: once per flow, not per job.
    """


@hookspec
def job_starting(job: Job) -> None:
    """Hear that a job is about to start, and veto it by raising.

    Called: once per job, before its first fact, in the starter's thread.
    Returns: nothing.
    Raises: `VetoedJob` in the starter's thread, from the error; the job never starts.
    Cost: delays the start by what it takes.
    """


@hookspec
def hold(job: Job, activation: Activation) -> bool:  # type: ignore[empty-body]  # a hook is what it says
    """Keep an activation from starting, as a breakpoint does.

    Called: when an executor takes the activation, outside all locks, from any worker; its payload is a copy.
    Returns: True to hold it until `job.release(activation.id)`.
    Raises: logged with the plugin's name, once for a job; the activation goes on.
    Cost: once per activation.
    """


@hookspec
def around_activation(job: Job, activation: Activation) -> AbstractContextManager[Any] | None:
    """Wrap the call of a handler, as a tracing span does.

    Called: for each activation, in the handler's own thread or task; where the handler runs in another
    process, at home when the activation goes there. Its payload is a copy.
    Returns: a context manager that is entered around the handler, or None; it goes to another process as
    pickle takes it there, so its class has to be one that can be imported.
    Raises: logged with the plugin's name, once for a job (and process); the handler is called all the same.
    Cost: once per activation, and its bytes where it travels.
    """


@hookspec
def on_fact(job: Job, fact: Fact) -> None:
    """Watch what happens to jobs.

    Called: for each fact, in order, after it holds, by whichever thread has the job's turn. The fact cannot
    be changed, and what it holds is a copy, made when it is asked for.
    Returns: nothing.
    Raises: logged with the plugin's name, and the plugin is dropped for that job.
    Cost: once per fact, and the job waits for it; what is slow is better a monitor with a `MonitorQueue`.
    """


@hookspec
def job_left(job: Job, error: BaseException) -> None:
    """Hear that a job runs here no more though it has not ended: it is left in its store, for others.

    Called: once for such a job, after its last fact, in place of one that ends or pauses it, by whichever
    thread has its turn. `error` is a `JobLeft` where its manager shuts down, a `ClaimLost` where another
    process has taken it over, and a `StoreError` where its store fails for good. A monitor with a
    `MonitorQueue` is called in that one's thread. The error may hold the job by its traceback.
    Returns: nothing.
    Raises: logged with the plugin's name.
    Cost: nothing for a job that ends here.
    """


@hookspec
def manager_closing(manager: JobManager) -> None:
    """Hear that a manager shuts down.

    Called: once per manager, after its jobs have ended and before its executors stop.
    Returns: nothing.
    Raises: logged with the plugin's name.
    Cost: delays the shutdown by what it takes.
    """
