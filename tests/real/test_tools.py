"""A real, very small model calls a function: its server parses the call, we make it, and the result goes back."""

from pathlib import Path

from lockbots_magic import Chat

TEMPLATE = Path(__file__).with_name("tools.jinja")


def test_a_real_model_calls_a_function_and_gets_its_result(own_model_server, model):
    added = []

    def add(a: int, b: int) -> int:
        """Add two numbers."""
        added.append((a, b))
        return a + b

    server = own_model_server(template=TEMPLATE)
    chat = Chat(model, base_url=server.url)
    turn = chat.ask("Add 2 and 3.", tools=[add], limits={"rounds": 2}, temperature=0, seed=1, max_tokens=40)
    call = turn.calls[0]
    assert (call.name, call.result, call.approved_by) == ("add", str(sum(added[0])), "default")
    answered = turn.rounds[1]  # whatever the model made of the result: it was asked again
    assert answered.parts
