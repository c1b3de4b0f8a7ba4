// Greets every new address.

import { defineModule, Task } from "tenter";

interface Config {
  greeting: string;
}

export default defineModule<Config>({
  title: "Greet new addresses",
  parameters: { greeting: { kind: "string", title: "Greeting", default: "Hello" } },

  register(on, { greeting }) {
    const greet = (task: Task): Task => Task.on(task.entity).plain("greeting", `${greeting}, ${task.entity.eid}!`);
    on.onEntityCreation("ip", greet);
    on.request("write-entities", "ip.greeting");
  },
});
