// Fuses a risk, 0 to 1, from what is known of an address, of the domains that resolve to it and of the certificates that
// it presented.
//
// Domains come first: the hook of addresses depends on domains.risk, which the hook of domains may change, and the host
// orders them by that. Each reason counts by its own; together they are the chance that not all of them are harmless.
package main

import (
	"math"

	"tenter"
)

type riskScore struct {
	// Risk of what is on a list.
	Listed float64 `json:"listed"`
	// Risk of a name that looks random.
	Random float64 `json:"random"`
	// Bits per character from which a name looks random.
	RandomBits float64 `json:"random_bits"`
	// Risk of an address that presents a certificate which it signed itself.
	SelfSigned float64 `json:"self_signed"`
}

func init() {
	risk := func(name, what string, usual float64) tenter.Parameter {
		return tenter.Parameter{Name: name, Kind: "float", Description: what, Section: "Risk, 0 to 1", Default: usual}
	}
	tenter.Export(tenter.Module{
		Title:       "Risk from linked domains and certificates",
		Description: "Fuses a risk from what is known of an address and of what it is linked with.",
		Version:     "0.1.0",
		Parameters: []tenter.Parameter{
			risk("listed", "Of what is on a list.", 0.8),
			risk("random", "Of a name that looks random.", 0.3),
			{Name: "random_bits", Kind: "float", Description: "Bits per character from which a name looks random.",
				Default: 3.5},
			risk("self_signed", "Of an address with a certificate that it signed itself.", 0.2),
		},
		Configure: configure,
	})
}

func configure(config tenter.Config, on *tenter.Registrar) error {
	var module riskScore
	if err := config.Decode(&module); err != nil {
		return err
	}
	for _, risk := range []struct {
		name  string
		value float64
	}{{"listed", module.Listed}, {"random", module.Random}, {"self_signed", module.SelfSigned}} {
		if risk.value < 0 || risk.value > 1 {
			return tenter.InvalidInput("%s: %v is no risk: expected 0 to 1", risk.name, risk.value)
		}
	}
	on.Correlate("domain", []string{"indicator", "entropy"}, []string{"risk"}, module.domain)
	address := []string{"indicator", "domains.risk", "certificates.self_signed"}
	on.Correlate("ip", address, []string{"risk", "risk_from"}, module.address)
	for _, attribute := range []string{"domain.risk", "ip.risk", "ip.risk_from"} {
		on.Request("write-entities", attribute)
	}
	return nil
}

func (m riskScore) domain(view *tenter.View) ([]tenter.Task, error) {
	var found fused
	if view.Has("indicator") {
		found.add(m.Listed, "indicator")
	}
	if bits, has := tenter.Get[float64](view, "entropy"); has && bits >= m.RandomBits {
		found.add(m.Random, "random name")
	}
	if len(found.reasons) > 0 {
		view.Set("risk", found.risk())
	}
	return nil, nil
}

func (m riskScore) address(view *tenter.View) ([]tenter.Task, error) {
	var found fused
	if view.Has("indicator") {
		found.add(m.Listed, "indicator")
	}
	for _, domain := range view.Follow("domains") {
		if risk, has := tenter.Get[float64](domain, "risk"); has {
			found.add(risk, domain.Entity.String())
		}
	}
	for _, certificate := range view.Follow("certificates") {
		if signed, _ := tenter.Get[bool](certificate, "self_signed"); signed {
			found.add(m.SelfSigned, certificate.Entity.String())
		}
	}
	if len(found.reasons) > 0 {
		view.Set("risk", found.risk())
		view.Set("risk_from", found.reasons)
	}
	return nil, nil
}

// fused has risks that are taken as independent of each other.
type fused struct {
	reasons  []string
	harmless float64
}

func (f *fused) add(risk float64, reason string) {
	if len(f.reasons) == 0 {
		f.harmless = 1
	}
	f.harmless *= 1 - risk
	f.reasons = append(f.reasons, reason)
}

// risk is the chance that not all are harmless, to three digits.
func (f *fused) risk() float64 { return math.Round((1-f.harmless)*1000) / 1000 }

func main() {}
