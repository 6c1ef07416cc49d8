"""`{{ await ... }}` in a cell: evaluated on the loop that runs it, as IPython evaluates a cell."""

import asyncio

import pytest

from lockbots_magic.errors import UsageError


def sent(mock_server):
    return mock_server.requests[-1].json["messages"][-1]["content"]


def test_an_expression_may_be_awaited(run, openai):
    run("import asyncio\nasync def fetch(n):\n    await asyncio.sleep(0)\n    return f'page {n}'")
    assert run("%%chat\nSum up {{ await fetch(1) }} and {{ await fetch(2) }}.").error is None
    assert sent(openai) == "Sum up page 1 and page 2."


def test_expressions_are_evaluated_once_and_in_order(run, openai, shell):
    run("seen = []\nasync def a(n):\n    seen.append(n)\n    return n\ndef b(n):\n    seen.append(n)\n    return n")
    assert run("%%chat\n{{ b(1) }} {{ await a(2) }} {{ b(3) }} {{ [x for x in [await a(4)]] }}").error is None
    assert sent(openai) == "1 2 3 [4]"
    assert shell.user_ns["seen"] == [1, 2, 3, 4]


def test_asynchronous_comprehensions_are_expressions(run, openai):
    run("async def pages():\n    for n in range(3):\n        yield n")
    assert run("%%chat\n{{ [p async for p in pages()] }}").error is None
    assert sent(openai) == "[0, 1, 2]"


def test_it_runs_on_the_loop_of_the_cells(run, openai, shell):
    run("import asyncio\nloop = asyncio.get_running_loop() if (await asyncio.sleep(0)) is None else 0")
    run("async def mine():\n    return asyncio.get_running_loop() is loop")
    run("%%chat\n{{ await mine() }}")
    assert sent(openai) == "True"


def test_a_failure_names_the_expression(run, openai):
    run("async def fail():\n    raise ValueError('no page')")
    before = len(openai.requests)
    failed = run("%%chat\n{{ 1 }} {{ await fail() }}")
    assert isinstance(failed.error, UsageError)
    assert str(failed.error) == "{{ await fail() }} failed: ValueError: no page"
    assert len(openai.requests) == before


@pytest.mark.parametrize("line", ["--nosuch", "stray text"])
def test_what_is_wrong_with_the_options_is_told_as_ever(run, openai, shell, line):
    run("ran = []\nasync def fetch():\n    ran.append(1)")
    assert isinstance(run(f"%%chat {line}\n{{{{ await fetch() }}}}").error, UsageError)
    assert shell.user_ns["ran"] == []


def test_raw_braces_and_the_word_alone_are_text(run, openai):
    assert run("%%chat --raw\n{{ await this }}").error is None
    assert sent(openai) == "{{ await this }}"
    assert run("%%chat\nWhy await {{ 1 }}?").error is None
    assert sent(openai) == "Why await 1?"


def test_options_and_variables_work_as_in_other_cells(run, openai, shell):
    run("async def word():\n    return 'yes'")
    assert run("%%chat --to answer\nsay {{ await word() }}").error is None
    assert shell.user_ns["answer"] == "yes"
    before = len(openai.requests)
    (output,) = run("%%chat --dry-run\nsay {{ await word() }}").outputs
    assert "say yes" in output.data["text/plain"]
    assert len(openai.requests) == before


def test_elsewhere_a_loop_of_our_own_runs_it(run, openai, shell):
    run("async def word():\n    return 'yes'")
    assert run("%chat say {{ await word() }}").error is None
    assert sent(openai) == "say yes"
    run("%autoawait off")
    assert run("%%chat\nsay {{ await word() }} again").error is None
    assert sent(openai) == "say yes again"

    async def main():
        shell.run_cell_magic("chat", "", "say {{ await word() }} here")

    asyncio.run(main())
    assert sent(openai) == "say yes here"


@pytest.mark.kernel
def test_in_a_kernel_it_is_awaited_interrupted_and_streamed(mock_server):
    from tests.kernels import Kernel, visible

    with Kernel() as kernel:
        kernel.run("%load_ext lockbots_magic")
        kernel.run(f"%lockbots use openai:demo --base-url {mock_server.url('openai')}")
        kernel.run(
            "import asyncio\nloop = asyncio.get_running_loop()\nasync def fetch(seconds=0):\n"
            "    print('fetching')\n    await asyncio.sleep(seconds)\n    return asyncio.get_running_loop() is loop"
        )
        assert kernel.run("%%chat\nsay {{ await fetch() }}", cell_id="c1").outputs[-1]["data"]["text/plain"] == "True"

        request = kernel.send("%%chat\nsay {{ await fetch(1000) }}", cell_id="c2")
        for message in kernel.messages(request):
            if message["msg_type"] == "stream":
                break
        kernel.manager.interrupt_kernel()
        assert kernel.finish(request).reply["ename"] == "Interrupted"

        kernel.run(f"%lockbots use openai:demo --base-url {mock_server.url('openai', fault='silence-midway')}")
        request = kernel.send("%%chat\ncount to {{ await fetch() and 20 }}", cell_id="c3")
        for message in kernel.messages(request):
            if visible(message["content"].get("data", {})).startswith("1 2"):
                break
        kernel.manager.interrupt_kernel()
        mock_server.wait_for_disconnect()
        assert kernel.finish(request).reply["status"] == "error"
        kernel.run(f"%lockbots use openai:demo --base-url {mock_server.url('openai')}")

        url = mock_server.url("openai")
        kernel.run(f"from lockbots_magic import Chat\nchat = Chat('openai:demo', base_url='{url}')")
        assert kernel.run("print((await chat.ask_async('say one')).reply)").printed == "one\n"
        assert kernel.run("async for text in chat.stream('say two'):\n    print(text)").printed == "two\n"
        kernel.run("for text in chat.stream('count to 9'):\n    break")
        assert kernel.run("print(chat.ask('say three').reply)").printed == "three\n"
        kernel.run("reply = chat.stream('count to 9')\nasync for text in reply:\n    break")
        assert kernel.run("print((await chat.ask_async('say four')).reply)").printed == "four\n"
