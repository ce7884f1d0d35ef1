"""What users of other libraries type first, and what it is called here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from threadkeep.core.peer_collections import COLLECTION_ATTRIBUTES, by_typed_name

ATTRIBUTES: Final[Mapping[str, Mapping[str, str]]] = {
    **COLLECTION_ATTRIBUTES,
    "Memory": by_typed_name(
        {
            "memory.user(id), and memory.session(id, user=...)": "users add_user create_user",
            "memory.session(id, user=...).add(...)": (
                "add_session add_messages_batch lpush rpush set insert"
            ),
            "memory.session(id).items(), as messages": (
                "get_session_messages chat_memory buffer load_memory_variables lrange"
            ),
            "threadkeep.connect(ttl=...), which holds for all sessions": "expire ttl",
            "the verbs of memory.session(id); what is added is stored at once": (
                "execute begin session_factory cursor query_all"
            ),
            "pandas.DataFrame(memory.sessions())": "to_pandas to_df to_dataframe df",
            "memory.session(id).add(...)": "add add_message add_messages append put save",
            "memory.user(id).recall(query, k=10)": "search recall query retrieve",
            "memory.user(id).facts.list()": "get_all memories facts get_memories",
            "memory.sessions(user=...)": "list_sessions get_sessions list_threads threads list "
            "get_keys keys conversations_list",
            "memory.session(id, user=...)": "get_session create_session new_session thread chat",
            "memory.session(id).items()": "messages items get_messages history",
            "memory.session(id).context(query)": "context get_context",
            "memory.session(id).delete()": "delete delete_session remove_session delete_messages "
            "delete_thread",
            "memory.user(id).forget(), which erases the user's sessions too": (
                "delete_all forget forget_user reset delete_user remove_user erase"
            ),
            "memory.user(id).facts.add(text)": "remember add_fact add_memory",
            "memory.usage(), or the command threadkeep stats": "stats statistics",
            "threadkeep.connect(observe=True)": "metrics telemetry",
            "memory.user(id).export() and .restore(lines)": "export restore",
            "memory.extract()": "process learn",
            "memory.user(id).facts.get(id)": "get get_memory",
            "memory.user(id).facts.add(text, replaces=id)": "update update_memory",
            "memory.user(id).facts and .instructions": "blocks core_memory",
            "memory.user(id).recall(query), which takes words": "graph archival_memory_search "
            "conversation_search search_memory",
            "memory.session(id, agent=...)": "agents agent",
            "memory.session(id).add(...), and memory.user(id).facts": "memory",
            "memory.session(id).items(), which a checkpointer (ThreadkeepSaver) is beside": (
                "get_state get_state_history"
            ),
            "langchain_threadkeep.ThreadkeepSaver(memory)": "get_tuple put_writes checkpointer "
            "saver as_checkpointer to_checkpointer get_saver get_checkpointer",
            "memory.usage(user=..., session=...)": "get_usage token_usage cost costs tokens "
            "token_count",
            "threadkeep.import_chats(memory, path_or_url)": "import_chats import_ import_sql load "
            "load_chats migrate_from",
            "memory.session(id).summary()": "summary summarize get_summary",
            "memory.check(timeout=1)": "health healthcheck health_check ping is_alive ready "
            "is_ready",
            "langchain_threadkeep.ThreadkeepStore(memory)": "list_namespaces store",
            "nothing, a Memory needs no setup: write to it": (
                "setup create_tables migrate create_all init"
            ),
            "nothing, what was added is stored already": "persist commit dump",
        }
    ),
    "Window": by_typed_name(
        {
            "pydantic_ai_threadkeep.ThreadkeepConversationStore(memory)": (
                "to_pydantic_ai to_pydantic"
            ),
            "[item.text for item in window]": "text content texts",
            "window.to_openai()": (
                "messages to_chat to_messages to_chat_messages to_dicts as_messages to_dict "
                "to_json json to_list dict model_dump"
            ),
            "window.to_responses()": "input to_input to_input_list",
            "langchain_threadkeep.ThreadkeepChatMessageHistory(id, memory).messages": (
                "to_langchain to_base_messages"
            ),
            "llama_index.memory.threadkeep.ThreadkeepMemory": "to_llama_index",
            "window.tokens": "token_count num_tokens count_tokens",
        }
    ),
    "threadkeep": by_typed_name(
        {
            "langchain_threadkeep.memory_tools": (
                "create_manage_memory_tool create_search_memory_tool"
            ),
            "a session: memory.session(id).window()": (
                "ConversationBufferMemory ConversationBufferWindowMemory "
                "ConversationSummaryMemory ChatMemoryBuffer ConversationMemory"
            ),
            "threadkeep.connect('memory://')": (
                "InMemorySaver MemorySaver InMemoryStore InMemoryMemory"
            ),
            "threadkeep.connect('sqlite:///chat.db')": (
                "SQLiteMemory SQLiteSession SqliteSaver SqliteStore SQLAlchemySession"
            ),
            "threadkeep.connect('redis://localhost')": (
                "RedisMemory RedisSession RedisStore RedisSaver"
            ),
            "threadkeep.connect('postgresql://host/database')": (
                "PostgresMemory PostgresSaver PostgresStore"
            ),
            "threadkeep.Item(role=..., content=...), or a dict": "Message ChatMessage UserMessage",
            "threadkeep.connect(url)": "open create Client AsyncClient MemoryClient AsyncMemory "
            "from_url from_config init Threadkeep ThreadKeep ChatMemory Database Store",
            "threadkeep.import_chats(memory, path_or_url)": "import_ load import_file import_sql "
            "import_url import_from_url import_chatgpt import_claude import_redis import_mongodb "
            "import_langchain import_llama_index migrate from_chatgpt",
            "langchain_threadkeep.ThreadkeepSaver": "ThreadkeepSaver Saver Checkpointer",
            "langchain_threadkeep.ThreadkeepMiddleware": "ThreadkeepMiddleware Middleware",
            "langchain_threadkeep.ThreadkeepStore": "ThreadkeepStore Store",
            "langchain_threadkeep.ThreadkeepChatMessageHistory": (
                "ThreadkeepChatMessageHistory ChatMessageHistory"
            ),
            "openai_agents_threadkeep.ThreadkeepSession": "ThreadkeepSession",
            "llama_index.memory.threadkeep.ThreadkeepMemory": "ThreadkeepMemory",
        }
    ),
    "Session": by_typed_name(
        {
            "len(session.items())": "count size len shape length",
            "session.items(last=5)": "tail last last_messages newest",
            "session.items(limit=5)": "head first oldest",
            "pandas.DataFrame(session.items())": "to_df to_pandas to_dataframe df",
            "[dataclasses.asdict(item) for item in session.items()]": (
                "to_json json dump_json model_dump"
            ),
            "memory.user(id).export(), or the command threadkeep export": "export export_jsonl",
            "threadkeep.import_chats(memory, path)": "load import_ from_json",
            "print(item.role, item.text) for each of session.items()": (
                "print show pretty_print display"
            ),
            "session.items(), or those of an adapter of Pydantic AI": (
                "all_messages new_messages all_messages_json new_messages_json message_history"
            ),
            "session.items(), or session.add(...)": "events append_event",
            "session.update(metadata=...), and session.info()": "state",
            "session.add(text, role='system')": "system add_system add_system_message",
            "session.add(text)": "add_user",
            "session.add(...) with the answer of your model": (
                "ask invoke run predict chat_completion"
            ),
            "session.items()": "messages get_items get_messages history get_all list chat_memory "
            "lrange read all",
            "session.add(...)": "append extend add_items add_message add_messages put save "
            "add_user_message rpush lpush save_context insert write",
            "session.add(text, role='assistant')": "add_ai_message add_assistant_message",
            "session.set_items(...)": "set set_messages replace_all",
            "session.window()": "get get_window buffer load_memory_variables",
            "session.window().to_openai()": "to_openai to_messages to_list to_dict",
            "session.window().to_responses()": "to_responses",
            "session.window().to_anthropic()": "to_anthropic",
            "memory.user(id).recall(query, session=session.id)": "recall search query",
            "session.rewind(last=1)": "pop pop_item rpop undo",
            "session.clear()": "clear_session reset",
            "session.fork(id)": "copy",
            "session.remove(id)": "delete_item delete_message delete_messages",
            "session.replace(id, item)": "edit update_item update_message",
            "session.summary()": "summarize get_summary sum_up compact",
            "session.window(max_tokens=...), which cuts what a model sees": "trim truncate",
            "threadkeep.connect(retain=...), which holds for all sessions": "prune",
            "session.update(title=...)": "rename set_title",
            "session.rewind(before=id)": "regenerate retry",
            "memory.feedback.add(response_id, rating='positive')": "feedback rate",
            "memory.extract()": "learn extract process",
            "memory.usage(session=session.id)": "usage get_usage token_usage cost tokens",
            "session.id": "session_id thread_id",
            "session.user": "user_id owner",
            "session.info()": "metadata title created_at updated_at",
            "session.context(query)": "get_context memory get_user_context get_memory",
            "session.facts.add(text)": "core_memory_append remember",
            "session.facts.add(text, replaces=id)": "core_memory_replace",
            "threadkeep.connect(ttl=...), which holds for all sessions": "expire ttl set_ttl",
            "nothing, what was added is stored already": "persist commit save_to_disk",
        }
    ),
    "User": by_typed_name(
        {
            "user.export()": "to_dict to_json json dump",
            "user.facts.add(text), or user.session(id).add(...)": "append put save",
            "user.recall(query, k=10)": "search query retrieve",
            "user.facts.list()": "get_all memories list get",
            "user.facts.add(text)": "add remember add_fact",
            "user.forget(), which erases the user's sessions too": "delete delete_all clear reset",
            "user.sessions()": "list_sessions threads chats",
            "user.session(id)": "thread chat get_session new_session",
            "user.session(id).items()": "messages items history",
            "user.restore(lines)": "import_ load",
            "memory.usage(user=user.id)": "usage get_usage token_usage cost tokens",
            "user.id": "user_id name",
        }
    ),
    "Item": by_typed_name(
        {
            "dataclasses.asdict(item)": "to_dict dict model_dump asdict as_dict json to_json "
            "model_dump_json keys values",
            "item.role, item.content and item.text": "get message msg body",
            "item.created_at": "timestamp date time created",
            "session.window().to_openai()": "to_openai to_openai_message",
            "item.tool_calls": "additional_kwargs function_call",
        }
    ),
    "SessionInfo": by_typed_name(
        {
            "memory.session(info.id).items()": "messages items history get_messages window",
            "memory.session(info.id).add(...)": "add append",
            "memory.session(info.id).delete()": "delete remove",
            "info.id": "session_id thread_id name key",
            "info.user": "user_id owner",
            "dataclasses.asdict(info)": "to_dict dict model_dump asdict json to_json",
        }
    ),
    "Fact": by_typed_name(
        {
            "fact.text": "content memory fact value name summary",
            "fact.id": "uuid memory_id key",
            "dataclasses.asdict(fact)": "to_dict dict model_dump asdict json to_json",
        }
    ),
    "Instruction": by_typed_name(
        {
            "instruction.text": "content instruction value name",
            "dataclasses.asdict(instruction)": "to_dict dict model_dump asdict json to_json",
        }
    ),
    "Listing": by_typed_name(
        {
            "[dataclasses.asdict(entry) for entry in listing]": (
                "to_dict to_dicts to_list dict json to_json model_dump"
            ),
            "pandas.DataFrame(listing)": "df to_df to_pandas to_dataframe",
            "session.window().to_openai()": "to_openai to_messages",
            "the listing itself, which is a list": "all results data items memories messages",
        }
    ),
}
"""By class: an attribute that it does not have, and what does the same here."""

KEYWORDS: Final[Mapping[str, tuple[str, ...]]] = {
    typed: tuple(meant.split())
    for meant, typed_names in {
        "user id": "user_id userid owner uid",
        "id": "file_id fact_id item_id message_id item_ids",
        "session id conversation": "session_id thread_id chat_id conversation_id conversation "
        "session",
        "k last max_messages keep_last limit": "limit top_k n n_results max_results num_results",
        "max_exchanges last limit": "k last_k",
        "max_tokens": "token_limit max_token_limit tokens budget",
        "max_messages last keep_last": "last last_n max_items num_messages messages",
        "keep_last": "keep keep_n leave",
        "policy": "policies strategy system include_system",
        "metadata": "meta extra tags attributes",
        "since after": "start start_time from_ min_date",
        "until before": "end end_time to max_date",
        "agent": "agent_id agent_name",
        "cursor after": "offset page page_token starting_after",
        "query item": "text question q",
        "item": "content message",
        "rating": "score vote value",
        "name role": "speaker",
        "title": "name",
    }.items()
    for typed in typed_names.split()
}
"""By keyword: what is meant; the first that the verb has."""

CONTENT: Final = frozenset(
    {"content", "contents", "id", "item", "items", "message", "messages", "text", "texts"}
)
"""Keywords typed for what verbs such as `session.add` take by position."""
