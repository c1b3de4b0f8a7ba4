// Greets every new address.

import { defineModule, Task } from "tenter";

export default defineModule({
  title: "Greet new addresses",

  register(on) {
    on.onEntityCreation("ip", (task) => Task.on(task.entity).plain("greeting", `Hello, ${task.entity.eid}!`));
    on.request("write-entities", "ip.greeting");
  },
});
