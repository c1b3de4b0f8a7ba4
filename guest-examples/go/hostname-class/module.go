// Tells what kind of machine a host name hints at.
package main

import (
	"strings"

	"tenter"
)

// hostnameClass is the module, configured.
type hostnameClass struct {
	// Type of the entities that have names.
	Entity string `json:"entity"`
	// Attributes with names.
	Attributes []string `json:"attributes"`
	// Part of a name in lower case, and the class it hints at. The first that fits counts.
	Rules [][2]string `json:"rules"`
}

var usual = [][2]string{
	{"dhcp", "dynamic"}, {"dyn", "dynamic"}, {"pool", "dynamic"}, {"dsl", "access"}, {"cable", "access"},
	{"mail", "mail"}, {"smtp", "mail"}, {"vpn", "vpn"}, {"proxy", "proxy"}, {"www", "web"},
}

func init() {
	tenter.Export(tenter.Module{
		Title:       "Classify hosts by name",
		Description: "Tells what kind of machine a host name hints at.",
		Version:     "0.1.0",
		Parameters: []tenter.Parameter{
			{Name: "entity", Kind: "string", Title: "Entity type", Default: "ip"},
			{Name: "attributes", Kind: "json", Title: "Attributes with names", Default: []string{"hostname"}},
			{Name: "rules", Kind: "json", Title: "Rules", Default: usual,
				Description: "A list of [part of a name in lower case, class]; the first that fits counts."},
		},
		Configure: configure,
	})
}

func configure(config tenter.Config, on *tenter.Registrar) error {
	var module hostnameClass
	if err := config.Decode(&module); err != nil {
		return err
	}
	for _, rule := range module.Rules {
		if part := rule[0]; part == "" || part != strings.ToLower(part) {
			return tenter.InvalidInput("rules: %q fits no name: expected a part of a name in lower case", part)
		}
	}
	for _, attribute := range module.Attributes {
		on.OnNewAttribute(module.Entity, attribute, module.classify).Refresh("class")
	}
	on.Request("write-entities", module.Entity+".class")
	return nil
}

// classify is the hook: the class that a name hints at, for the entity that has it; nothing for a name without a hint.
func (m hostnameClass) classify(host tenter.EntityRef, datapoint tenter.Datapoint) ([]tenter.Task, error) {
	name, _ := tenter.As[string](datapoint.Value)
	name = strings.ToLower(name)
	for _, rule := range m.Rules {
		if strings.Contains(name, rule[0]) {
			return tenter.NewTask(host).Plain("class", rule[1]).List(), nil
		}
	}
	return nil, nil
}

func main() {}
