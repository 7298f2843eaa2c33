"""What fence devices are asked, what their answers mean, whose a board is, when it was proven."""

from __future__ import annotations

import json
import shlex
import uuid
from dataclasses import replace

import pytest

from pacefab.pacemaker import metadata
from pacefab.pacemaker.fencing import asking, identity, proofs
from pacefab.pacemaker.fencing.asking import FenceAnswer, FenceQuestion
from pacefab.pacemaker.fencing.devices import FenceDevice, read_devices
from pacefab.pacemaker.fencing.identity import NodeIdentity
from pacefab.pacemaker.fencing.proofs import Proof
from pacefab.pacemaker.model import Configuration, Primitive
from pacefab.report.fencing import forms, metrics
from pacefab.report.verification import render_junit
from pacefab.services.checks import Check
from pacefab.transport.command import Section
from pacefab.workflows.checks import fencing_proofs
from pacefab.workflows.checks.fencing import FencedNode, FencingVerification
from pacefab.workflows.checks.fencing_causes import FencingCauses
from tests.unit import captured

AGENT = "stonith:fence_ipmilan"
METADATA = metadata.parse(AGENT, captured.text("debian12", "metadata-fence_ipmilan.xml"))
PASSWORD = "not for every eye"  # noqa: S105  (a test's)
PRIVILEGE = "the board does not give that user this privilege (privlvl)"
BOARD = uuid.UUID("dc3b1867-0e2c-58e0-81fb-35944048823f")


def device(agent: str = AGENT, **parameters: str) -> FenceDevice:
    """Return a device of c1."""
    given = {"ip": "192.0.2.201", "username": "fence", "password": PASSWORD, **parameters}
    (found,) = read_devices(Configuration(resources=(Primitive("f1", agent, given),)))
    return found


def of_c1(**parameters: str) -> FenceDevice:
    """Return a device that says that it fences c1."""
    return device(pcmk_host_list="c1", **parameters)


def section(name: str) -> Section:
    """Return what a captured program said."""
    return Section(name, 0, captured.text("fencing", name), "")


def asked(of: FenceDevice) -> tuple[FenceQuestion, ...]:
    """Return what a device is asked from c2."""
    return asking.questions(of, "c2", ("c1", "c2"), METADATA)


def test_a_question_reads_and_gives_its_secret_by_standard_input() -> None:
    (question,) = asked(of_c1(delay="30", pcmk_delay_base="5s", verbose="1", debug_file="/tmp/x"))
    step = question.step(METADATA, 20)

    assert step.stdin.splitlines() == [
        "action=status", "ip=192.0.2.201", "username=fence", f"password={PASSWORD}", "plug=c1",
    ]  # fmt: skip
    assert PASSWORD not in shlex.join(step.argv)
    assert step.argv[-2:] == ("20", "fence_ipmilan")


@pytest.mark.parametrize("action", ["off", "reboot", "on", "cycle", "diag"])
@pytest.mark.parametrize("asks", ["status", "monitor", "list"])
def test_nothing_but_reading_is_ever_asked(action: str, asks: str) -> None:
    given = {f"pcmk_{asks}_action": action, "action": action, "option": action}
    assert action in asking.unaskable(of_c1(**given))
    plain = of_c1(action=action, option=action)
    assert asking.unaskable(plain) == ""
    assert all("action=status\n" in q.step(METADATA, 20).stdin for q in asked(plain))
    assert all(f"={action}\n" not in q.step(METADATA, 20).stdin for q in asked(plain))


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (of_c1(login="lrm://"), "cibsecret"),
        (of_c1(username="a\naction=off"), "line end"),
        (of_c1(username="a\raction=off"), "line end"),
        (device("stonith:external/ipmi"), "is no agent that takes its options"),
    ],
)
def test_what_cannot_be_asked_says_why(of: FenceDevice, why: str) -> None:
    assert why in asking.unaskable(of)


def test_a_strip_is_asked_for_each_outlet_and_one_without_hosts_what_it_knows() -> None:
    strip = device("stonith:fence_apc", pcmk_host_map="c1:1,2;c9:3")
    assert [(q.target, q.outlet) for q in asked(strip)] == [("c1", "1"), ("c1", "2")]
    known = replace(METADATA, actions=frozenset({"monitor", "list"}))
    hypervisor = asking.questions(device("stonith:fence_vbox"), "c2", ("c1",), known)
    assert [q.action for q in hypervisor] == ["monitor", "list"]


@pytest.mark.parametrize(("name", "status"), [("agent-on.txt", 0), ("agent-refused.txt", 1)])
def test_an_answer_is_what_the_agent_said(name: str, status: int) -> None:
    (question,) = asked(of_c1())
    text = captured.text("fencing", name).rpartition("rc ")[0]
    answer = asking.read(question, Section("x", status, f"1234\n{text}", ""))
    assert answer.ok is (status == 0)
    assert answer.seconds == 1.234
    if not answer.ok:
        unable = "Failed: Unable to obtain correct plug status or plug is not available"
        assert asking.last_line(answer.said) == unable


def test_off_is_an_answer_and_a_limit_is_none() -> None:
    (question,) = asked(of_c1())
    assert FenceAnswer(question, asking.OFF).ok
    assert FenceAnswer(question, 124).late
    assert not FenceAnswer(question, 124).ok


def test_no_secret_is_shown_of_what_an_agent_says() -> None:
    (question,) = asked(of_c1())
    said = f"5\nlogin with {PASSWORD} failed, password='x y'\n"
    assert PASSWORD not in asking.read(question, Section("x", 1, said, "")).said


def test_a_list_has_outlets_and_names() -> None:
    (question,) = asked(of_c1())
    answer = FenceAnswer(question, 0, said="1,c1\n2,c2\nc3,\n")
    assert {"c1", "c2", "c3"} <= set(asking.listed(answer))


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("board-guid.txt", ""),
        ("board-password.txt", "the board refuses the password"),
        ("board-user.txt", "the board gives that user no session"),
        ("board-silent.txt", "nothing answers IPMI there"),
        ("board-invalid-role.txt", PRIVILEGE),
        ("board-unauthorized-role.txt", PRIVILEGE),
        ("board-unauthorized-name.txt", "the board does not know that user"),
        ("board-v6.txt", ""),
    ],
)
def test_a_board_says_who_it_is_or_why_not(name: str, refusal: str) -> None:
    word = identity.read_board(section(name))
    assert word.refusal == refusal
    assert word.uuid == (None if refusal else BOARD)


def other(asker: str, status: int, of: FenceDevice, said: str = "") -> FenceAnswer:
    """Return what a device said of c1 to a node."""
    return FenceAnswer(FenceQuestion(of, asker, "status", "c1", "c1"), status, 1.0, said)


def explained(*answers: FenceAnswer, refusal: str = "") -> tuple[str, str]:
    """Return what was seen, and its likely cause, of the first answer."""
    return FencingCauses(answers, 20).explain(answers[0], refusal, 20.0)


@pytest.mark.parametrize(
    ("name", "seen", "cause"),
    [
        (
            "redfish-expired.txt",
            "the board's certificate has expired (Failed: send_get_request: ",
            "renew the board's certificate",
        ),
        (
            "redfish-refused.txt",
            "the board refuses the user or the password, or has no such system (Unable to get",
            "the password was changed on the board, or is wrong in the cluster",
        ),
    ],
)
def test_an_agent_over_https_says_why(name: str, seen: str, cause: str) -> None:
    redfish = device("stonith:fence_redfish", pcmk_host_list="c1")
    found = explained(other("c1", 1, redfish, captured.text("fencing", name).rpartition("rc ")[0]))
    assert found[0].startswith(seen)
    assert found[1].startswith(cause)


@pytest.mark.parametrize(
    ("refusal", "cause"),
    [
        ("the board refuses the password", "the password was changed on the board"),
        ("the board gives that user no session", "the user is locked, disabled or not there"),
        (PRIVILEGE, "the user is locked, disabled or not there, or lacks the privilege"),
        ("nothing answers IPMI there", "the board is down or hangs, its address is wrong, or c1"),
        ("the board has no session left", "correct the device's parameters"),
    ],
)
def test_what_a_board_refuses_has_a_cause(refusal: str, cause: str) -> None:
    seen, found = explained(other("c1", 1, of_c1(), "Failed: no"), refusal=refusal)
    assert seen == f"{refusal} (Failed: no)"
    assert found.startswith(cause)


@pytest.mark.parametrize("status", [1, 124])
def test_a_board_that_one_node_reaches_is_a_matter_of_the_way(status: int) -> None:
    nothing = "nothing answers IPMI there"
    answers = (other("c2", status, of_c1()), other("c3", status, of_c1()), other("c1", 0, of_c1()))
    _, cause = explained(*answers, refusal=nothing)
    assert cause == "c1 does reach it: look at the way from c2 (routes, firewalls)"


def test_one_of_several_levels_that_is_broken_leaves_the_node_fenced() -> None:
    strip = device("stonith:fence_apc", pcmk_host_map="c1:1")
    strip = replace(strip, primitive=replace(strip.primitive, id="strip"))
    broken = other("c2", 1, of_c1(), "Failed: no")
    _, cause = explained(broken, other("c2", 0, strip), refusal="the board refuses the password")
    assert cause.endswith("; c1 is still fenced by strip")
    _, alone = explained(broken, other("c2", 1, strip), refusal="the board refuses the password")
    assert "still fenced" not in alone


def test_a_board_has_an_ipv6_address() -> None:
    board = of_c1(ip="2001:DB8:0::201", ipport="6230")
    assert board.address == ("2001:db8::201", "6230")
    assert board.where == "[2001:db8::201]:6230"
    assert of_c1(ip="2001:db8::201").where == "2001:db8::201"
    step = identity.observe_board(board, 20)
    assert step is not None
    assert "-H 2001:db8::201 -p 6230" in shlex.join(step.argv)
    own = identity.read_self(
        Section("identity", 0, "\nIPv6 Static Address 0:\n    Address:  2001:db8:0:0::201/64\n", "")
    )
    assert own.addresses == {"2001:db8::201"}
    assert [str(one) for one in identity.foreign([board], {"c1": own})] == []
    (wrong,) = identity.foreign([board], {"c1": NodeIdentity(), "c2": own})
    assert wrong.said == (
        "f1 is to fence c1, and the board at 2001:db8::201 is that of c2, as that node says"
    )


def test_a_strip_is_asked_once_what_it_calls_its_outlets() -> None:
    strip = device("stonith:fence_apc", pcmk_host_map="c1:1,2")
    known = replace(METADATA, actions=frozenset({"list"}))
    first = asking.questions(strip, "c1", ("c1",), known, naming=True)
    assert [q.action for q in first] == ["list", "status", "status"]
    assert [q.action for q in asking.questions(strip, "c2", ("c1",), known)] == ["status"] * 2
    assert asking.names(FenceAnswer(first[0], 0, said="1,c1\n2,Outlet 2,x\n3\n")) == {
        "1": "c1",
        "2": "Outlet 2",
    }


def test_a_session_that_may_not_switch_is_a_matter_of_the_privilege() -> None:
    said = "Set Session Privilege Level to ADMINISTRATOR failed"  # ipmitool's lanplus.c
    assert identity.read_board(Section("board", 1, said, "")).refusal == PRIVILEGE


def test_a_board_is_asked_with_its_password_in_no_argument() -> None:
    step = identity.observe_board(of_c1(lanplus="true", ipport="6230", privlvl="operator"), 20)
    assert step is not None
    assert PASSWORD not in shlex.join(step.argv)
    assert step.stdin == f"{PASSWORD}\n"
    words = shlex.join(step.argv)
    assert "-I lanplus -H 192.0.2.201 -p 6230 -U fence -L operator" in words
    assert identity.observe_board(of_c1(hexadecimal_kg="ab"), 20) is None
    assert identity.observe_board(device("stonith:fence_apc"), 20) is None


def test_a_board_is_whose_identity_it_has_in_either_order_of_bytes() -> None:
    nodes = {
        "c1": NodeIdentity(frozenset({uuid.UUID(bytes=BOARD.bytes_le)})),
        "c2": NodeIdentity(addresses=frozenset({"192.0.2.202"})),
    }
    assert identity.whose(BOARD, "", nodes) == ("c1",)
    assert identity.whose(None, "192.0.2.202", nodes) == ("c2",)
    assert identity.whose(uuid.uuid4(), "192.0.2.209", nodes) == ()
    assert identity.whose(None, "", {"c1": NodeIdentity()}) == ()


def test_a_node_says_who_it_is() -> None:
    out = f"{str(BOARD).upper()}\nIP Address Source       : Static\nIP Address : 192.0.2.201\n"
    found = identity.read_self(Section("identity", 0, out, ""))
    assert found == NodeIdentity(frozenset({BOARD}), frozenset({"192.0.2.201"}))
    assert identity.read_self(Section("identity", 0, "", "")) == NodeIdentity()


def test_a_success_is_a_proof_and_nothing_else_is() -> None:
    history = captured.text("fencing", "history.xml")
    assert proofs.parse_history(history) == (Proof("c3", 1796012620, "reboot", "c1"),)
    for wrong in (
        ('status="success"', 'status="failed"'),
        ('action="reboot"', 'action="on"'),
        ('delegate="c1"', 'delegate="a human"'),
        ('completed="2026-11-30 04:23:40Z"', 'completed=""'),
    ):
        assert proofs.parse_history(history.replace(*wrong)) == ()
    with pytest.raises(ValueError, match="not a history"):
        proofs.parse_history("<cib/>")


@pytest.mark.parametrize("text", ["2026-11-30 04:23:40 +00:00", "Mon Nov 30 04:23:40 2026"])
def test_times_of_other_pacemakers_are_read(text: str) -> None:
    history = captured.text("fencing", "history.xml").replace("2026-11-30 04:23:40Z", text)
    assert [proof.at for proof in proofs.parse_history(history)] == [1796012620]


def test_the_note_outlives_the_history_and_the_last_proof_counts() -> None:
    note = proofs.render_note({"c3": Proof("c3", 5, "off", "c2"), "c1": Proof("c1", 7, "off")})
    empty = Section("fencing history", 0, "<pacemaker-result/>", "")
    sections = {"fencing history": empty, "fencing note": Section("n", 0, f"{note}damaged\n", "")}
    assert {n: p.at for n, p in fencing_proofs.read(sections).items()} == {"c1": 7, "c3": 5}
    sections["fencing history"] = section("history.xml")
    assert fencing_proofs.read(sections)["c3"].at == 1796012620
    sections["fencing history"] = Section("fencing history", 1, "", "no such option")
    assert fencing_proofs.read(sections)["c3"].at == 5


def test_what_is_not_proven_is_a_sentence() -> None:
    known = {"c3": Proof("c3", 5, "off")}
    assert "no fencing of c1, c2 is known" in fencing_proofs.sentence(["c1", "c2", "c3"], known)
    assert fencing_proofs.sentence(["c3"], known) == ""


def verification(*, ok: bool) -> FencingVerification:
    """Return a verification with one answer."""
    (question,) = asked(of_c1())
    answer = FenceAnswer(question, 0 if ok else 1, 1.0)
    check = Check("device answers", "f1 (asked from c2)", ok, "seen", "cause")
    node = FencedNode("c1", ("f1",), proof=Proof("c1", 1796012620, "reboot"), seconds=68.0)
    return FencingVerification("fencing", "lab", (check,), ("a notice",), (node,), (answer,))


def test_every_form_has_the_date_of_the_last_proof_and_no_secret() -> None:
    found = verification(ok=False)
    text = "\n".join(forms.render_text(found))
    exported = "\n".join(metrics.render_prometheus(found))
    data = forms.render_json(found)
    assert "2026-11-30 04:23" in text
    assert text.splitlines()[-1] == "verify-fencing: 0 passed, 1 failed"
    assert (
        'pacefab_fencing_proven_timestamp_seconds{cluster="lab",node="c1"} 1796012620' in exported
    )
    assert 'answers{cluster="lab",device="f1",node="c2",target="c1"} 0' in exported
    assert "pacefab_fencing_checks_failed" in exported
    assert json.loads(data)["nodes"][0]["last_fenced"] == 1796012620
    assert not json.loads(data)["ok"]
    assert b'failures="1"' in render_junit(found)
    assert not any(PASSWORD in said for said in (text, exported, data))
    assert json.loads(forms.render_json(verification(ok=True)))["ok"]
