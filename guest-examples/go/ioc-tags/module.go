// Tags indicators by rules, and notes on them why.
package main

import (
	"strings"

	"tenter"
)

type rule struct {
	// How the value of an indicator ends.
	EndsWith string `json:"ends_with"`
	// The tag that it gets.
	Tag string `json:"tag"`
	// Why.
	Note string `json:"note"`
}

type iocTags struct {
	Rules []rule `json:"rules"`
}

// indicator is what is read of an object's body.
type indicator struct {
	Value string `json:"ioc_value"`
}

func init() {
	tenter.Export(tenter.Module{
		Title:       "Tag indicators by rules",
		Description: "Tags indicators by rules, and notes on them why.",
		Version:     "0.1.0",
		Parameters: []tenter.Parameter{{
			Name: "rules", Kind: "json", Title: "Rules", Description: `A list of {"ends_with", "tag", "note"}.`,
			Default: []rule{{EndsWith: ".onion", Tag: "tor", Note: "a hidden service of Tor"}},
		}},
		Configure: func(config tenter.Config, on *tenter.Registrar) error {
			var module iocTags
			if err := config.Decode(&module); err != nil {
				return err
			}
			on.After("ioc", "create", module.look)
			on.After("ioc", "update", module.look)
			on.Request("case-write", "ioc")
			return nil
		},
	})
}

// look tags what was written, where its value is new.
func (m iocTags) look(_ tenter.Context, _ tenter.Event, objects []tenter.Written) (tenter.Outcome, error) {
	var outcome tenter.Outcome
	for _, written := range objects {
		if written.New == nil {
			continue
		}
		value, err := valueOf(written.New)
		if err != nil {
			return outcome, err
		}
		before, err := valueOf(written.Old)
		if err != nil {
			return outcome, err
		}
		if value == before {
			continue
		}
		if patch := m.noted(written.New.Patch(), value); !patch.Empty() {
			outcome.Effects = append(outcome.Effects, patch)
		}
	}
	return outcome, nil
}

// noted has tags, the reasons below the description, and the rules in a tab of their own.
func (m iocTags) noted(patch tenter.Patch, value string) tenter.Patch {
	var endings []string
	for _, rule := range m.Rules {
		if strings.HasSuffix(value, rule.EndsWith) {
			patch = patch.AddTag(rule.Tag).AppendDescription("Tagged " + rule.Tag + ": " + rule.Note + ".")
			endings = append(endings, rule.EndsWith)
		}
	}
	if len(endings) == 0 {
		return patch
	}
	return patch.SetCustomField("Rules", "Matched", "input_string", strings.Join(endings, ", "))
}

// valueOf is the value of an indicator in lower case; empty when there is no object.
func valueOf(ioc *tenter.CaseObject) (string, error) {
	if ioc == nil {
		return "", nil
	}
	var body indicator
	err := ioc.Decode(&body)
	return strings.ToLower(body.Value), err
}

func main() {}
