"""Pictures of flows as Mermaid and DOT text."""

import re

import pytest

from routilux_core import Event, Flow, Routine, routine, slot


@routine
def step(value):
    return {"value": value}


def nested():
    inner = Flow("inner")
    inner.add_routine(step(), "one")
    inner.add_routine(step(), "two")
    inner.connect("one.output", "two.trigger")
    outer = Flow("outer")
    outer.add_routine(step(), "begin")
    outer.add_routine(inner, "sub")
    outer.connect("begin", "output", "sub.one", "trigger", {"value": "value", "more": "extra"})
    return outer


def test_mermaid_shows_routines_sub_flows_and_connections():
    assert nested().to_mermaid().splitlines() == [
        "flowchart LR",
        '    n0["begin<br/><small>step</small>"]',
        '    subgraph s0["sub"]',
        '        n1["one<br/><small>step</small>"]',
        '        n2["two<br/><small>step</small>"]',
        "    end",
        '    n1 -->|"output to trigger"| n2',
        '    n0 -->|"output to trigger<br/>value as value<br/>more as extra"| n1',
    ]


def test_dot_shows_routines_sub_flows_and_connections():
    assert nested().to_dot().splitlines() == [
        'digraph "outer" {',
        "    rankdir=LR;",
        "    node [shape=box];",
        '    "begin" [label="begin\\nstep"];',
        '    subgraph "cluster_sub" {',
        '        label="sub";',
        '        "sub.one" [label="one\\nstep"];',
        '        "sub.two" [label="two\\nstep"];',
        "    }",
        '    "sub.one" -> "sub.two" [label="output to trigger"];',
        '    "begin" -> "sub.one" [label="output to trigger\\nvalue as value\\nmore as extra"];',
        "}",
    ]


def test_an_empty_flow_has_a_picture():
    assert Flow("empty").to_mermaid() == "flowchart LR\n"
    assert Flow("empty").to_dot().startswith('digraph "empty" {')


def test_sub_flows_of_one_name_at_two_places_stay_apart():
    top = Flow("top")
    for name in ("left", "right"):
        around = Flow()
        inner = Flow()
        inner.add_routine(step(), "it")
        around.add_routine(inner, "same")
        top.add_routine(around, name)
    ids = re.findall(r'subgraph (\w+)\["', top.to_mermaid())
    assert len(ids) == 4
    assert len(set(ids)) == 4
    assert len(set(re.findall(r'subgraph "([^"]+)"', top.to_dot()))) == 4


@pytest.mark.parametrize("name", ["end", "graph", "subgraph", "x", "o", "-", "_", "0", "a.b-c_d"])
def test_ids_that_mean_something_to_mermaid_do_no_harm(name):
    flow = Flow("words")
    flow.add_routine(step(), name)
    flow.add_routine(step(), "other")
    flow.connect(name, "output", "other", "trigger")
    assert f'    n0["{name}<br/><small>step</small>"]' in flow.to_mermaid().splitlines()
    assert '    n0 -->|"output to trigger"| n1' in flow.to_mermaid().splitlines()
    assert f'    "{name}" -> "other" [label="output to trigger"];' in flow.to_dot().splitlines()


HOSTILE = [
    '"]; click n0 "x',
    "</script><b>",
    "`rm`",
    "a\\",
    'a\\"',
    "|",
    "%%{init}%%",
    "a\nend",
    "a\r\nb",
    "#quot;",
    "🙂",
]


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_hostile_field_and_class_names_stay_inside_their_quotes(name):
    class Plain(Routine):
        output = Event()

        @slot
        def trigger(self):
            """Nothing."""

    hostile = type(name, (Plain,), {})
    flow = Flow("hostile")
    flow.add_routine(hostile(), "a")
    flow.add_routine(hostile(), "b")
    flow.connect("a", "output", "b", "trigger", {name: "x"})
    lines = flow.to_mermaid().splitlines()
    assert len(lines) == 4
    for line in lines[1:]:
        assert re.fullmatch(
            r'    (n\d\["[^"<>|`\\]*<br/><small>[^"<>|`\\]*</small>"\]|n0 -->\|"([^"<>|`\\]|<br/>)*"\| n1)',
            line,
        )
    for line in flow.to_dot().splitlines()[3:-1]:
        outside = re.sub(r'"(?:[^"\\]|\\.)*"', "Q", line)
        assert outside in {"    Q [label=Q];", "    Q -> Q [label=Q];"}
