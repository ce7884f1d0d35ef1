// The official JavaScript client of OpenAI, unchanged, against a server of ours.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [folder, baseURL, apiKey] = process.argv.slice(2);
const OpenAI = createRequire(`${folder}/`)("openai").default;
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });

const conversation = await client.conversations.create({ metadata: { topic: "trip" } });
assert.equal((await client.conversations.retrieve(conversation.id)).metadata.topic, "trip");
await client.conversations.update(conversation.id, { metadata: { place: "Rome" } });

const items = Array.from({ length: 5 }, (_, n) => ({ role: "user", content: `line ${n}` }));
await client.conversations.items.create(conversation.id, { items });
const listed = [];
for await (const item of client.conversations.items.list(conversation.id, { order: "asc", limit: 2 }))
  listed.push(item.content[0].text);
assert.deepEqual(listed, ["line 0", "line 1", "line 2", "line 3", "line 4"]);

const first = await client.responses.create({ model: "m", input: "Hi", conversation: conversation.id });
assert.equal(first.output_text, "one");
assert.equal(first.conversation.id, conversation.id);

const stream = await client.responses.create({ model: "m", input: "Hi", stream: true });
let text = "", last;
for await (const event of stream) {
  if (event.type === "response.output_text.delta") text += event.delta;
  last = event;
}
assert.equal(last.type, "response.completed");
assert.equal(text, "two");
const third = await client.responses.create({
  model: "m", input: "Go on", previous_response_id: last.response.id,
});
assert.equal(third.previous_response_id, last.response.id);
assert.equal((await client.responses.retrieve(third.id)).output_text, "three");

const chat = await client.chat.completions.create(
  { model: "m", messages: [{ role: "user", content: "Hi" }], stream: true },
  { headers: { "X-Threadkeep-Session": conversation.id } },
);
let said = "";
for await (const chunk of chat) said += chunk.choices[0]?.delta?.content ?? "";
assert.equal(said, "four");

await assert.rejects(client.conversations.retrieve("conv_none"), OpenAI.NotFoundError);
await assert.rejects(
  client.responses.create({ model: "m", input: "a", previous_response_id: "resp_none" }),
  OpenAI.BadRequestError,
);
const stranger = new OpenAI({ baseURL, apiKey: "tk_wrong", maxRetries: 0 });
await assert.rejects(stranger.conversations.create(), OpenAI.AuthenticationError);
assert.equal((await client.conversations.delete(conversation.id)).deleted, true);
console.log("ok");
