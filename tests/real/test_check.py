"""`check` of a real server, whose model is too small to call functions and sees nothing."""

from lockbots_magic import Chat


def test_what_a_real_server_does_is_measured(model_server, model, monkeypatch):
    monkeypatch.setattr("lockbots_magic.doctor.asker.MAX_TOKENS", 6)
    report = Chat(model, base_url=model_server.url).check()
    found = {finding.name: finding.state for finding in report.findings}
    assert {name: found[name] for name in ("models", "streaming", "whole reply", "token counts")} == {
        "models": "yes",
        "streaming": "yes",
        "whole reply": "yes",
        "token counts": "yes",
    }
    assert (found["tools"], found["images"]) == ("no", "no")
    assert "image" in report["images"].details  # in the server's words
    assert report.stopped is False
