"""The state wins, and the request is heard: the same prompts as LangChain's own agent."""

from __future__ import annotations

import pytest
from langchain.agents.middleware import AgentMiddleware, PIIMiddleware, SummarizationMiddleware
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph.message import REMOVE_ALL_MESSAGES

import threadkeep
from tests.integrations.langchain.agents_beside import (
    CONFIG,
    asks,
    beside,
    content_of_all,
    recorder,
)
from threadkeep.policies import alternate_roles

PLACES = pytest.mark.parametrize("place", [0, None], ids=["ours first", "ours last"])
CHECKPOINTER = pytest.mark.parametrize("checkpointer", [True, False], ids=["saver", "no saver"])


@tool
def look(what: str) -> str:
    """Look."""
    return f"{what} of kim@example.org"


def texts(prompt):
    return [message.content for message in prompt]


def ask(agent, *messages, config=CONFIG):
    agent.invoke({"messages": list(messages)}, config)


def calls(name="look", id="c1", **args):
    return AIMessage("", tool_calls=[{"name": name, "args": args or {"what": "x"}, "id": id}])


def everything(memory, session="t"):
    """All that is stored and shown: items, hidden ones too, responses, and the window."""
    chat = memory.session(session)
    return str([chat.items(hidden=True), memory.responses.list(conversation=session, limit=100)])


class TestHooks:
    """Middlewares of an application, one for each row of what others reported."""

    @PLACES
    @CHECKPOINTER
    def test_an_answer_that_after_model_takes_back(self, place, checkpointer):
        class Guard(AgentMiddleware):
            def after_model(self, state, runtime):
                m = state["messages"][-1]
                if "BAD" in m.content:
                    return {"messages": [RemoveMessage(m.id), AIMessage("better")]}
                return None

        sides = beside(
            asks("q0", "q1"), lambda: [Guard()], ["BAD", "a1"], place=place,
            checkpointer=checkpointer,
        )  # fmt: skip
        if checkpointer:
            sides.assert_same()
        assert texts(sides.ours.seen[-1]) == ["q0", "better", "q1"]

    @PLACES
    def test_the_order_of_the_request(self, place):
        class Order(AgentMiddleware):
            def wrap_model_call(self, request, handler):
                old, new = request.messages[:-1], request.messages[-1:]
                return handler(request.override(messages=[*old[2:4], *old[:2], *new]))

        beside(
            asks("q0", "q1", "q2"), lambda: [Order()], ["a0", "a1", "a2"], place=place
        ).assert_same()

    def test_the_order_of_the_state(self):
        class Order(AgentMiddleware):
            def before_model(self, state, runtime):
                old, new = state["messages"][:-1], state["messages"][-1:]
                messages = [*old[2:4], *old[:2], *new]
                return {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES), *messages]}

        beside(asks("q0", "q1", "q2"), lambda: [Order()], ["a0", "a1", "a2"]).assert_same()

    @PLACES
    @CHECKPOINTER
    @pytest.mark.parametrize("keep_id", [True, False], ids=["same id", "new message"])
    def test_a_question_replaced_for_the_model(self, place, checkpointer, keep_id):
        class Mask(AgentMiddleware):
            def wrap_model_call(self, request, handler):
                last = request.messages[-1]
                masked = HumanMessage("my card is ****", id=last.id if keep_id else None)
                return handler(request.override(messages=[*request.messages[:-1], masked]))

        sides = beside(
            asks("my card is K711"), lambda: [Mask()], ["a"], place=place, checkpointer=checkpointer
        )
        sides.assert_same()
        assert sides.memory.session("t").items()[0].text == "my card is K711"

    @PLACES
    def test_a_guardrail_in_after_agent(self, place):
        class Block(AgentMiddleware):
            def after_agent(self, state, runtime):
                m = state["messages"][-1]
                if "BAD" in m.content:
                    return {"messages": [AIMessage("I cannot say that", id=m.id)]}
                return None

        sides = beside(
            asks("q0", "q1"), lambda: [Block()], ["BAD", "a1"], place=place, record_responses=True
        )
        sides.assert_same()
        assert "BAD" not in everything(sides.memory)

    @PLACES
    def test_a_trimming_before_model(self, place):
        class Trim(AgentMiddleware):
            def before_model(self, state, runtime):
                messages = state["messages"]
                if len(messages) > 3:
                    kept = [messages[0], *messages[-2:]]
                    return {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES), *kept]}
                return None

        sides = beside(asks("q0", "q1", "q2"), lambda: [Trim()], ["a0", "a1", "a2"], place=place)
        sides.assert_same()
        chat = sides.memory.session("t")
        assert [item.text for item in chat.items(hidden=True)] == [
            "q0",
            "a0",
            "q1",
            "a1",
            "q2",
            "a2",
        ]

    def test_one_call_that_is_valid_and_one_that_is_not(self):
        both = AIMessage(
            "",
            tool_calls=[{"name": "look", "args": {"what": "x"}, "id": "good"}],
            invalid_tool_calls=[{"name": "look", "args": '{"what":', "id": "bad", "error": "JSON"}],
        )
        beside(asks("q0", "q1"), list, [both, "a0", "a1"], tools=[look]).assert_same()

    def test_only_calls_that_are_not_valid(self):
        bad = AIMessage(
            "", invalid_tool_calls=[{"name": "look", "args": "{", "id": "bad", "error": "JSON"}]
        )
        sides = beside(asks("q0", "q1"), list, [bad, "a1", "a2"], tools=[look])
        for prompt in sides.ours.seen:
            results = [m.tool_call_id for m in prompt if isinstance(m, ToolMessage)]
            assert len(results) == len(set(results))

    def test_a_policy_that_changes_an_item_is_heard_in_the_running_turn(self):
        model = recorder("a")
        memory = threadkeep.connect("memory://")
        memory.session("t").add("my order is 42")
        from langchain.agents import create_agent

        from langchain_threadkeep import ThreadkeepMiddleware

        ours = ThreadkeepMiddleware(memory, window=[alternate_roles()], inject=False)
        create_agent(model, middleware=[ours]).invoke(
            {"messages": [HumanMessage("hello?")]}, CONFIG
        )
        assert texts(model.seen[-1]) == ["my order is 42\n\nhello?"]


class TestLangChainsOwn:
    @PLACES
    @CHECKPOINTER
    def test_pii_middleware(self, place, checkpointer):
        """Input, tool results and answers; nowhere is anything raw."""

        def pii():
            return [
                PIIMiddleware(
                    "email", strategy="redact", apply_to_output=True, apply_to_tool_results=True
                )
            ]

        play = asks("write to kim@example.org", "again to kim@example.org")
        answers = [calls(), "wrote to kim@example.org", "done"]
        sides = beside(
            play, pii, answers, place=place, checkpointer=checkpointer, tools=[look],
            record_responses=True,
        )  # fmt: skip
        if checkpointer:
            sides.assert_same()
        assert "kim@" not in str(content_of_all(sides.ours))
        assert "kim@" not in everything(sides.memory)

    @PLACES
    def test_summarization_middleware(self, place):
        def summing():
            writer = recorder(*(f"summary {n}" for n in range(9)))
            return [SummarizationMiddleware(writer, trigger=("messages", 5), keep=("messages", 2))]

        questions = [f"q{n}" for n in range(6)]
        sides = beside(asks(*questions), summing, [f"a{n}" for n in range(6)], place=place)
        sides.assert_same()
        stored = [i.text for i in sides.memory.session("t").items(hidden=True) if i.text[0] in "qa"]
        assert sorted(stored) == sorted([*questions, *(f"a{n}" for n in range(6))])

    def test_a_summary_outlives_the_state_that_has_it(self):
        """A state that begins anew sees the summary where it does not see what it stands for."""

        def summing():
            writer = recorder(*(f"summary {n}" for n in range(9)))
            return [SummarizationMiddleware(writer, trigger=("messages", 5), keep=("messages", 2))]

        sides = beside(asks("q0", "q1", "q2"), summing, ["a0", "a1", "a2"])
        anew = beside(asks("and?"), list, ["a3"], memory=sides.memory)
        first, *rest = texts(anew.ours.seen[-1])
        assert "summary 0" in first
        assert rest == [*texts(sides.ours.seen[-1])[1:], "a2", "and?"]
        assert sides.memory.session("t").window().to_openai()


class TestUpdatesOfTheState:
    @pytest.mark.parametrize("index", [0, 1], ids=["question", "answer"])
    def test_an_edit(self, index):
        def play(agent):
            ask(agent, HumanMessage("raw question"))
            old = agent.get_state(CONFIG).values["messages"][index]
            agent.update_state(CONFIG, {"messages": [type(old)("edited", id=old.id)]})
            ask(agent, HumanMessage("q1"))

        sides = beside(play, list, ["raw answer", "a1"], record_responses=True)
        sides.assert_same()
        assert ("raw question", "raw answer")[index] not in everything(sides.memory)

    @pytest.mark.parametrize("removed", ["first", "answer", "all"])
    def test_a_removal(self, removed):
        def play(agent):
            ask(agent, HumanMessage("q0"))
            first, answer = agent.get_state(CONFIG).values["messages"]
            ids = {"first": first.id, "answer": answer.id, "all": REMOVE_ALL_MESSAGES}
            agent.update_state(CONFIG, {"messages": [RemoveMessage(ids[removed])]})
            ask(agent, HumanMessage("q1"))

        beside(play, list, ["a0", "a1"]).assert_same()

    def test_an_edit_and_a_removal_by_the_input(self):
        def play(agent):
            ask(agent, HumanMessage("q0", id="u"))
            ask(agent, HumanMessage("q0 edited", id="u"))
            ask(agent, RemoveMessage("u"), HumanMessage("q1"))

        beside(play, list, ["a0", "a1", "a2"]).assert_same()

    def test_a_message_edited_back_and_forth(self):
        def play(agent):
            ask(agent, HumanMessage("q0", id="u"))
            for text in ("one", "two", "q0"):
                agent.update_state(CONFIG, {"messages": [HumanMessage(text, id="u")]})
                ask(agent, HumanMessage("next"))

        beside(play, list, [f"a{n}" for n in range(4)]).assert_same()


class TestBranches:
    """Time travel: a run from an earlier checkpoint, and back again."""

    def back(self, agent, *said, next=()):
        history = agent.get_state_history(CONFIG)
        found = [s for s in history if texts(s.values.get("messages", [])) == list(said)]
        [latest, *_] = (state.config for state in found if state.next == next)
        return latest

    def test_another_way_from_an_old_checkpoint(self):
        def play(agent):
            for n in range(3):
                ask(agent, HumanMessage(f"q{n}"))
            ask(agent, HumanMessage("other"), config=self.back(agent, "q0", "a0"))
            ask(agent, HumanMessage("and so on"))

        sides = beside(play, list, [f"a{n}" for n in range(5)])
        sides.assert_same()
        chat = sides.memory.session("t")
        assert [item.text for item in chat.items()] == [
            "q0",
            "a0",
            "other",
            "a3",
            "and so on",
            "a4",
        ]
        assert len(chat.items(hidden=True)) == 10

    def test_three_branches_and_back_to_each(self):
        def play(agent):
            for n in range(3):
                ask(agent, HumanMessage(f"q{n}"))
            trunk = self.back(agent, "q0", "a0", "q1", "a1", "q2", "a2")
            ask(agent, HumanMessage("b"), config=self.back(agent, "q0", "a0"))
            branch = self.back(agent, "q0", "a0", "b", "a3")
            ask(agent, HumanMessage("on"), config=trunk)
            ask(agent, HumanMessage("b2"), config=branch)
            ask(agent, HumanMessage("b3"))
            ask(agent, HumanMessage("c"), config=self.back(agent, "q0", "a0", "q1", "a1"))

        beside(play, list, [f"a{n}" for n in range(9)]).assert_same()

    def test_an_answer_that_is_asked_for_again(self):
        def play(agent):
            ask(agent, HumanMessage("q0"))
            agent.invoke(None, self.back(agent, "q0", next=("model",)))
            ask(agent, HumanMessage("q1"))

        beside(play, list, ["a0", "a0 again", "a1"]).assert_same()

    def test_from_the_beginning(self):
        def play(agent):
            ask(agent, HumanMessage("q0"))
            ask(agent, HumanMessage("q1"), config=self.back(agent, next=("__start__",)))
            ask(agent, HumanMessage("q2"))

        beside(play, list, ["a0", "a1", "a2"]).assert_same()

    def test_tools_of_another_branch(self):
        def play(agent):
            ask(agent, HumanMessage("q0"))
            ask(agent, HumanMessage("q1"))
            said = ["q0", "", "x of kim@example.org", "a0"]
            ask(agent, HumanMessage("other"), config=self.back(agent, *said))

        beside(play, list, [calls(), "a0", calls(id="c2"), "a1", "a2"], tools=[look]).assert_same()


class TestWhatWasNeverInTheState:
    def test_messages_of_others_are_shown_where_they_were_said(self):
        memory = threadkeep.connect("memory://")
        chat = memory.session("t")
        chat.add("before", {"role": "assistant", "content": "indeed"})
        between = []

        def play(agent):
            ask(agent, HumanMessage("q0"))
            if not between:
                between.append(True)
                return
            chat.add("between", {"role": "assistant", "content": "yes"})
            ask(agent, HumanMessage("q1"))

        sides = beside(play, list, ["a0", "a1"], memory=memory)
        assert texts(sides.ours.seen[-1]) == [
            "before", "indeed", "q0", "a0", "between", "yes", "q1",
        ]  # fmt: skip

    def test_a_checkpointer_that_lost_its_state_loses_nothing(self):
        memory = threadkeep.connect("memory://")
        for question in ("q0", "q1"):
            sides = beside(asks(question), list, ["a"], memory=memory)
        assert texts(sides.ours.seen[-1]) == ["q0", "a", "q1"]

    def test_a_redactor_keeps_from_later_prompts_what_it_took_out(self):
        memory = threadkeep.connect("memory://", redactor=lambda t, kind: t.replace("K711", "****"))
        sides = beside(asks("card K711", "and?"), list, ["a0", "a1"], memory=memory)
        assert texts(sides.ours.seen[0]) == ["card K711"]
        assert texts(sides.ours.seen[1]) == ["card ****", "a0", "and?"]

    def test_a_removal_is_followed_where_a_redactor_changed_the_item(self):
        memory = threadkeep.connect("memory://", redactor=lambda t, kind: t.replace("K711", "****"))

        def play(agent):
            ask(agent, HumanMessage("card K711"))
            ask(agent, HumanMessage("q1"))
            old = next(
                s.config
                for s in agent.get_state_history(CONFIG)
                if s.next == ("__start__",) and not s.values.get("messages")
            )
            ask(agent, HumanMessage("other"), config=old)

        beside(play, list, ["a0", "a1", "a2"], memory=memory)
        assert [item.text for item in memory.session("t").items()] == ["other", "a2"]


class TestHydrate:
    """`hydrate="state"`: without a checkpointer, hooks see and change what the model will see."""

    def test_it_is_as_if_a_checkpointer_kept_the_state(self):
        class Mask(AgentMiddleware):
            def before_model(self, state, runtime):
                masked = [
                    m.model_copy(update={"content": m.content.replace("K711", "****")})
                    for m in state["messages"]
                ]
                return {"messages": masked}

        memory = threadkeep.connect("memory://")
        memory.session("t").add("card K711", {"role": "assistant", "content": "noted K711"})
        sides = beside(
            asks("again K711", "and?"), lambda: [Mask()], ["a K711", "b"], checkpointer=False,
            memory=memory, hydrate="state",
        )  # fmt: skip
        assert texts(sides.ours.seen[-1]) == [
            "card ****", "noted ****", "again ****", "a ****", "and?",
        ]  # fmt: skip
        assert "K711" not in str(memory.session("t").items(hidden=True)[:-1])

    def test_a_mask_for_the_model_reaches_older_turns(self):
        class Mask(AgentMiddleware):
            def wrap_model_call(self, request, handler):
                masked = [
                    m.model_copy(update={"content": m.content.replace("K711", "****")})
                    for m in request.messages
                ]
                return handler(request.override(messages=masked))

        sides = beside(
            asks("card K711", "and?"), lambda: [Mask()], ["a", "b"], checkpointer=False,
            hydrate="state",
        )  # fmt: skip
        assert texts(sides.ours.seen[-1]) == ["card ****", "a", "and?"]
        assert sides.memory.session("t").items()[0].text == "card K711"

    def test_a_removal_lasts(self):
        class Drop(AgentMiddleware):
            def before_model(self, state, runtime):
                return {"messages": [RemoveMessage(m.id) for m in state["messages"][:-1]]}

        sides = beside(
            asks("q0", "q1", "q2"), lambda: [Drop()], ["a0", "a1", "a2"], checkpointer=False,
            hydrate="state",
        )  # fmt: skip
        assert [texts(prompt) for prompt in sides.ours.seen] == [["q0"], ["q1"], ["q2"]]
        assert len(sides.memory.session("t").items(hidden=True)) == 6

    @CHECKPOINTER
    def test_pieces_of_another_framework(self, checkpointer):
        memory = threadkeep.connect("memory://")
        chat = memory.session("t")
        chat.add(
            "weather?",
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "mild K711"},
            {"role": "assistant", "content": "mild"},
        )

        class Mask(AgentMiddleware):
            def before_model(self, state, runtime):
                found = [m for m in state["messages"] if "K711" in m.content]
                return {"messages": [m.model_copy(update={"content": "mild"}) for m in found]}

        for hydrate in (None, "state"):
            sides = beside(
                asks("and now?"), lambda: [Mask()], ["a"], checkpointer=checkpointer,
                memory=memory, hydrate=hydrate,
            )  # fmt: skip
            shown = [m.type for m in sides.ours.seen[-1]]
            assert shown[:4] == ["human", "ai", "tool", "ai"]
        assert "K711" not in str(sides.ours.seen[-1])
        assert "K711" not in str(chat.items())

    def test_the_state_has_the_window(self):
        memory = threadkeep.connect("memory://")
        memory.session("t").add(*(f"old {n}" for n in range(3)))
        agents = []
        sides = beside(
            lambda agent: agents.append(agent.invoke({"messages": [HumanMessage("q")]}, CONFIG)),
            list, ["a"], memory=memory, hydrate="state",
        )  # fmt: skip
        assert texts(agents[-1]["messages"]) == ["old 0", "old 1", "old 2", "q", "a"]
        assert len(memory.session("t").items()) == 5
        assert texts(sides.ours.seen[-1]) == ["old 0", "old 1", "old 2", "q"]

    def test_another_value_is_refused(self):
        from langchain_threadkeep import ThreadkeepMiddleware

        with pytest.raises(threadkeep.errors.ConfigError, match="hydrate"):
            ThreadkeepMiddleware("memory://", hydrate="all")
