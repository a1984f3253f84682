"""What we encode, read by OpenTelemetry's own classes; and what is said to be an SQL statement's shape."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from vivero_core.tracing.context import Context
from vivero_core.tracing.otlp import TEXT_MAX, export_request
from vivero_core.tracing.spans import Kind, Span, Value
from vivero_core.tracing.statements import described

TEXTS = st.text(max_size=50) | st.text(alphabet="x🌵é", min_size=TEXT_MAX - 2, max_size=TEXT_MAX + 5)
VALUES = TEXTS | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1)
ATTRIBUTES = st.dictionaries(st.text(max_size=40), VALUES, max_size=5)
U64 = st.integers(1, (1 << 64) - 1)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    context = Context(draw(st.integers(1, (1 << 128) - 1)), draw(U64), sampled=True)
    made = Span(
        lambda _: None, context, draw(st.just(0) | U64), draw(TEXTS), draw(st.sampled_from(Kind)), draw(ATTRIBUTES)
    )
    made.started, made.ended, made.failed = draw(U64), draw(U64), draw(st.booleans())
    return made


def value_of(pair: KeyValue) -> Value:
    found: Value = getattr(pair.value, pair.value.WhichOneof("value") or "string_value")
    return found


def cut(attributes: Mapping[str, Value]) -> dict[str, Value]:
    return {key: value[:TEXT_MAX] if isinstance(value, str) else value for key, value in attributes.items()}


@given(ATTRIBUTES, st.lists(spans(), max_size=4))
def test_every_span_arrives_as_it_was(resource: dict[str, Value], made: list[Span]) -> None:
    (part,) = ExportTraceServiceRequest.FromString(export_request(resource, "vivero", made)).resource_spans
    assert {one.key: value_of(one) for one in part.resource.attributes} == cut(resource)
    (scope,) = part.scope_spans
    assert scope.scope.name == "vivero"
    assert len(scope.spans) == len(made)
    for one, read in zip(made, scope.spans, strict=True):
        assert int.from_bytes(read.trace_id, "big") == one.context.trace_id
        assert (len(read.trace_id), len(read.span_id)) == (16, 8)
        assert int.from_bytes(read.span_id, "big") == one.context.span_id
        assert int.from_bytes(read.parent_span_id, "big") == one.parent_id
        assert (read.name, read.kind) == (one.name, one.kind)
        assert (read.start_time_unix_nano, read.end_time_unix_nano) == (one.started, one.ended)
        assert {pair.key: value_of(pair) for pair in read.attributes} == cut(one.attributes)
        assert (read.status.code == 2) is one.failed


def test_half_a_character_is_no_reason_to_lose_a_batch() -> None:
    made = Span(lambda _: None, Context(1, 2, sampled=True), 0, "\ud83c", Kind.SERVER, {"x": "\udf35"})
    read = ExportTraceServiceRequest.FromString(export_request({}, "vivero", [made]))
    assert read.resource_spans[0].scope_spans[0].spans[0].name == "?"


SECRETS = st.text(alphabet=st.characters(exclude_characters="'\\", exclude_categories=["Cs"]), min_size=1).map(
    lambda text: f"secret{text}secret"
)


@given(SECRETS, st.integers(0), st.floats(0, 1e9, allow_nan=False), st.sampled_from(["'", '"']))
def test_a_statements_shape_has_no_value(secret: str, number: int, share: float, quote: str) -> None:
    text = quote + secret.replace(quote, quote * 2) + quote
    sql = f"SELECT `f_12`, c_3.f_4 FROM c_3 WHERE a = {text} AND b > {number} AND c < {share} AND d = %s"  # noqa: S608  no one runs it
    name, shape = described(sql)
    assert name == "SELECT c_3"
    assert shape == "SELECT `f_12`, c_3.f_4 FROM c_3 WHERE a = ? AND b > ? AND c < ? AND d = %s"


@given(SECRETS, st.sampled_from(["'", '"']), st.integers(0, 30))
def test_a_text_that_is_cut_off_is_left_out(secret: str, quote: str, kept: int) -> None:
    text = quote + secret.replace(quote, quote * 2)
    shape = described(f"SELECT 1 FROM c WHERE a = {text[: kept + 1]}")[1]  # noqa: S608  as above
    assert shape == "SELECT ? FROM c WHERE a = ?"


def test_a_statements_name() -> None:
    named = {
        "BEGIN": "BEGIN",
        "insert into\n  jobs (kind) VALUES (%s)": "INSERT jobs",
        "SET STATEMENT max_statement_time=3.5 FOR SELECT * FROM `vivero_x`.audit_log": "SELECT vivero_x.audit_log",
        "UPDATE users SET name = %s": "UPDATE users",
        "WITH a AS (SELECT id FROM c_1) SELECT * FROM a": "WITH c_1",
        "": "SQL",
    }
    assert {sql: described(sql)[0] for sql in named} == named
