// The guest of the conformance suite, as tests/conformance/README.md describes it.

import {
  call, create, defineModule, deny, Entity, entities, Failed, http, InvalidInput, json, log, Patch, rawJson, report, resolver, secret,
  secrets, state, Task, tasks, text, time, Unavailable, views,
} from "tenter";

const ERRORS = {
  "invalid-input": () => new InvalidInput("the data is to blame"),
  unavailable: () => new Unavailable("something outside is to blame"),
  failed: () => new Failed("the module is to blame"),
  exception: () => new Error("thrown"),
};
const kept = [];

function obey(command) {
  if (command in ERRORS) throw ERRORS[command]();
  while (command === "loop");
  while (command === "memory") {
    const block = new Uint8Array(1 << 20);
    for (let at = 0; at < block.length; at += 4096) block[at] = 1;
    kept.push(block);
  }
}

/** What a function of the host gives, in words; or the name of the error's case. */
function told(ask, words = String) {
  try {
    return words(ask());
  } catch (error) {
    if (error.code) return error.code;
    throw error;
  }
}

const COMMANDS = {
  log() {
    for (const level of ["debug", "info", "warning", "error"]) log[level](level);
    log.info("é🦀");
    log.info("a\0b");
  },
  call() {
    log.info(`now ${call.now().micros}`);
    log.info(`id ${call.id()}`);
    log.info(`cause ${call.cause()}`);
    log.info(`random ${call.random() !== call.random()}`);
    log.info(`resume-after ${call.resumeAfter(60, "m")}`);
    log.info(`memo ${call.memo() ?? "-"}`);
  },
  state() {
    state.store("k", new Uint8Array([0, 1, 255]));
    log.info(`k ${state.fetch("k")?.join(",") ?? "-"}`);
    state.store("t", "x", 60);
    state.increment("n", 2);
    state.increment("n", -5);
    log.info(`n ${state.fetchText("n")}`);
    log.info(`keys ${state.keys("", { limit: 10 }).join(",")}`);
    state.discard("t");
    log.info(`error ${told(() => state.store("k".repeat(513), "x"))}`);
  },
  entities(entity) {
    for (const each of [entity, new Entity("other", 1)]) {
      log.info(`known ${told(() => entities.known(each))}`);
      log.info(`record ${told(() => entities.readRecord(each) !== null)}`);
    }
    log.info(`hooks ${entities.caseHooks().length}`);
    log.info(`schema ${JSON.stringify(entities.schema()).includes('"thing"')}`);
  },
  http() {
    const posted = {
      method: "POST",
      url: "https://echo.example/in",
      query: { q: "a b&c" },
      headers: { "x-echo": "yes", authorization: secret("echo", "Bearer ") },
      body: "hello",
      timeoutMs: 1000,
    };
    for (const request of [posted, { url: "https://other.example/" }]) {
      let headers = [];
      log.info(
        `http ${told(
          () => http.send(request),
          (answer) => {
            headers = answer.headers;
            return `${answer.status} ${answer.text()}`;
          },
        )}`,
      );
      for (const [name, value] of headers) log.info(`header ${name} ${value}`);
    }
  },
  resolver() {
    const joined = (names) => names.join(",");
    log.info(`echo.example ${told(() => resolver.lookup("echo.example", "A"), joined)}`);
    log.info(`none.example ${told(() => resolver.lookup("none.example", "TXT"), joined)}`);
    log.info(`192.0.2.1 ${told(() => resolver.reverse("192.0.2.1"), joined)}`);
    log.info(`echo.example ${told(() => resolver.lookup("echo.example", "A", "192.0.2.53"), joined)}`);
  },
  secrets() {
    const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    log.info(`available ${secrets.available().join(",")}`);
    log.info(`hmac ${told(() => secrets.hmacSha256("echo", "hello"), hex)}`);
    log.info(`hmac ${told(() => secrets.hmacSha256("other", "hello"), hex)}`);
  },
};

function echoed(entity, datapoint) {
  return Task.on(entity).with(Object.assign(datapoint, { attr: "echo" }));
}

function chunksOf(task, attr, chunks) {
  for (const { t1, t2, typed } of chunks) task.timeseries(attr, t1, t2, typed);
  return task;
}

function ofRecord(record) {
  const task = Task.on(record.entity).tag(`revision ${record.revision}`).tag(`created ${record.created?.micros ?? "-"}`);
  for (const { name, until } of record.ttlTokens) task.ttl(name, until);
  for (const { attr, kind } of record.attributes()) {
    if (kind === "plain") {
      const { typed, updated } = record.plain(attr);
      task.with(Object.assign(Task.on(record.entity).plain(attr, typed).datapoints[0], { t1: updated }));
    } else if (kind === "observations") {
      for (const { typed, t1, t2, confidence } of record.observations(attr)) task.observation(attr, typed, t1, t2, { confidence });
    } else {
      chunksOf(task, attr, record.timeseries(attr));
    }
  }
  return task;
}

function same(view) {
  const changes = view.changes();
  for (const { entity, current } of [view.root, ...view.linked]) {
    for (const { attr, typed, confidence } of current) changes.setOn(entity, attr, typed, confidence);
  }
  return changes;
}

function lookBeyond() {
  for (const eid of ["beyond", "none"]) {
    log.info(`${eid} ${told(() => views.fetch("thing", eid), (found) => (found ? found.current.length : "-"))}`);
  }
}

function logContext({ caseId, caseName, user, trigger }, { object, action }) {
  log.info([caseId ?? "-", caseName ?? "-", user?.login ?? "-", trigger, object, action ?? "-"].join(" "));
}

function patchOf(object) {
  return Patch.of(object)
    .addTag("echo")
    .removeTag("old")
    .appendDescription("echoed")
    .setField("ioc_value", rawJson(object.json))
    .setCustomField("Echo", "Body", "echoed");
}

function written({ old, new: object, attachments }) {
  if (!object) log.info(`deleted ${old.id}`);
  for (const { name, mediaType, content } of attachments) log.info(`attachment ${name} ${mediaType} ${content.length}`);
  return object && [patchOf(object), Task.of("thing", object.id).plain("echo", rawJson(object.json))];
}

export default defineModule({
  title: "Echo",
  version: "1.0.0",
  parameters: { command: { kind: "string", title: "Command", default: "echo" } },

  register(on, { command }) {
    if (command === "refuse") throw new Failed("refused");
    for (const [capability, scope] of [
      ["state"], ["read-entities", "thing"], ["delete-entity", "thing"], ["http", "* https://echo.example/*"], ["resolver"],
      ["secret", "echo"], ["case-write", "ioc"],
    ]) {
      on.request(capability, scope);
    }

    const hook = (handler) => (...given) => {
      obey(command);
      return handler(...given);
    };
    const id = (id, options) => ({ id, ...options });

    on.onTaskStart(hook((task) => log.info(`task ${task.entity} ${task.datapoints.length}`)), id("on-task-start"));
    on.allowEntityCreation(
      "thing",
      hook(({ entity: { eid } }) => (eid.startsWith("deny") ? deny(eid) : true)),
      id("allow-entity-creation"),
    );
    on.onEntityCreation("thing", hook((task) => task), id("on-entity-creation"));
    on.onNewAttribute(
      "thing",
      "value",
      hook((entity, datapoint) => {
        COMMANDS[command]?.(entity);
        const echo = echoed(entity, datapoint);
        if (command === "many") return Array(300).fill(echo);
        if (command === "large") echo.datapoints[0].typed = text("x".repeat(2 << 20));
        return echo;
      }),
      id("on-new-attribute"),
    );

    const atTime = hook((run) => Task.of("thing", run.id).plain("echo", time(run.time)));
    on.snapshotInit(atTime);
    on.snapshotFinalize(atTime);
    on.timeseries("thing", "series", hook((entity, attr, chunks) => chunksOf(Task.on(entity), attr, chunks)), id("timeseries"));

    const wishes = { dependsOn: ["value", "link.value"], mayChange: ["echo"], whole: true };
    on.correlate(
      "thing",
      id("correlate", wishes),
      hook((view) => {
        if (command === "views") lookBeyond();
        return same(view);
      }),
    );
    on.correlateWithRecord("thing", id("correlate-with-record", wishes), hook((view, record) => [same(view), ofRecord(record)]));

    on.updateRecord("thing", 3600, hook(ofRecord), id("update-record"));
    on.updateEntity("thing", 3600, hook((entity) => Task.on(entity).plain("echo", entity.eid)), id("update-entity"));
    on.cron(
      { minute: 0 },
      hook((given) => {
        const ids = tasks.submit(Task.of("thing", "cron").plain("echo", json(given)));
        log.info(`submitted ${ids.length}`);
      }),
      id("cron", { grace: 60, arguments: { n: 1 } }),
    );

    on.before(
      "ioc",
      "create",
      hook((context, event, proposal) => {
        logContext(context, event);
        log.info(`proposal ${proposal.id ?? "-"}`);
        if (command === "keep") return undefined;
        return command === "deny" ? deny("denied") : rawJson(proposal.json);
      }),
      id("before"),
    );
    on.after(
      "ioc",
      "*",
      hook((context, event, objects) => {
        logContext(context, event);
        const attachments = [
          { name: "echo.bin", mediaType: "application/octet-stream", content: new Uint8Array([0, 1, 254, 255]) },
        ];
        return [objects.map(written), create("ioc", { ioc_value: "made" }, { attachments })];
      }),
      id("after"),
    );
    on.manual(
      "ioc",
      "Echo",
      hook((context, event, objects) => {
        logContext(context, event);
        const content = rawJson(objects[0]?.json ?? "null");
        return [objects.map((object) => new Patch(object).addTag("echo")), report(`${objects.length} objects`, content, "json")];
      }),
      id("manual"),
    );
  },
});
