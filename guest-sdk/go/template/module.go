// Greets every new address.
package main

import "tenter"

// greeter is the module, configured.
type greeter struct {
	Greeting string `json:"greeting"`
}

func init() {
	tenter.Export(tenter.Module{
		Title:       "NAME",
		Description: "Greets every new address.",
		Version:     "0.1.0",
		Parameters: []tenter.Parameter{
			{Name: "greeting", Kind: "string", Title: "Greeting", Default: "hello"},
		},
		Configure: configure,
	})
}

func configure(config tenter.Config, on *tenter.Registrar) error {
	var module greeter
	if err := config.Decode(&module); err != nil {
		return err
	}
	on.OnEntityCreation("ip", module.greet)
	on.Request("write-entities", "ip.greeting")
	return nil
}

// greet is called when an address turns up that was not known.
func (g greeter) greet(task tenter.Task) ([]tenter.Task, error) {
	if task.Entity.ID == "" {
		return nil, tenter.InvalidInput("the address has no text")
	}
	return tenter.NewTask(task.Entity).Plain("greeting", g.Greeting+" "+task.Entity.ID).List(), nil
}

func main() {}
