package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"tenter"
)

func logs() {
	tenter.Debugf("debug")
	tenter.Infof("info")
	tenter.Warningf("warning")
	tenter.Errorf("error")
	tenter.Infof("é🦀")
	tenter.Infof("a\x00b")
}

func calls() {
	tenter.Infof("now %d", tenter.Now().UnixMicro())
	tenter.Infof("id %s", tenter.CallID())
	tenter.Infof("cause %s", tenter.CallCause())
	random := tenter.Rand()
	tenter.Infof("random %t", random.Uint64() != random.Uint64())
	tenter.Infof("resume-after %t", tenter.ResumeAfter(time.Minute, "m"))
	memo, there := tenter.Memo()
	tenter.Infof("memo %s", orDash(there, memo))
}

func states() error {
	if err := tenter.StateSet("k", []byte{0, 1, 255}, 0); err != nil {
		return err
	}
	value, err := tenter.StateGet("k")
	if err != nil {
		return err
	}
	var decimal []string
	for _, b := range value {
		decimal = append(decimal, fmt.Sprint(b))
	}
	tenter.Infof("k %s", orDash(value != nil, strings.Join(decimal, ",")))
	if err := tenter.StateSet("t", []byte("x"), time.Minute); err != nil {
		return err
	}
	for _, by := range []int64{2, -5} {
		if err := tenter.StateAdd("n", by); err != nil {
			return err
		}
	}
	counted, err := tenter.StateGet("n")
	if err != nil {
		return err
	}
	tenter.Infof("n %s", counted)
	keys, err := tenter.StateKeys("", "", 10)
	if err != nil {
		return err
	}
	tenter.Infof("keys %s", strings.Join(keys, ","))
	if err := tenter.StateDelete("t"); err != nil {
		return err
	}
	if err := tenter.StateSet(strings.Repeat("k", 513), []byte("x"), 0); err != nil {
		tenter.Infof("error %s", name(err))
	}
	return nil
}

func entities(entity tenter.EntityRef) {
	for _, asked := range []tenter.EntityRef{entity, {Type: "other", ID: "1"}} {
		known, err := tenter.Known(asked)
		tenter.Infof("known %s", result(known, err))
		record, err := tenter.ReadRecord(asked)
		tenter.Infof("record %s", result(record != nil, err))
	}
	tenter.Infof("hooks %d", len(tenter.CaseHooks()))
	tenter.Infof("schema %t", bytes.Contains(tenter.Schema(), []byte(`"thing"`)))
}

func result(value any, err error) string {
	if err != nil {
		return name(err)
	}
	return fmt.Sprint(value)
}

func requests() {
	logResponse(tenter.HTTPSend(tenter.HTTPRequest{
		Method: "POST",
		URL:    "https://echo.example/in",
		Query:  []tenter.HTTPParameter{{Name: "q", Value: "a b&c"}},
		Headers: []tenter.HTTPParameter{
			{Name: "x-echo", Value: "yes"}, {Name: "authorization", Value: "Bearer ", Secret: "echo"},
		},
		Body:    []byte("hello"),
		Timeout: time.Second,
	}))
	logResponse(tenter.HTTPGet("https://other.example/"))
}

func logResponse(response *tenter.HTTPResponse, err error) {
	if err != nil {
		tenter.Infof("http %s", name(err))
		return
	}
	tenter.Infof("http %d %s", response.Status, response.Body)
	for _, header := range response.Headers {
		tenter.Infof("header %s %s", header.Name, header.Value)
	}
}

func lookups() {
	found := func(asked string, texts []string, err error) {
		tenter.Infof("%s %s", asked, result(strings.Join(texts, ","), err))
	}
	texts, err := tenter.Lookup("echo.example", "A")
	found("echo.example", texts, err)
	texts, err = tenter.Lookup("none.example", "TXT")
	found("none.example", texts, err)
	texts, err = tenter.Reverse("192.0.2.1")
	found("192.0.2.1", texts, err)
	texts, err = tenter.LookupAt("192.0.2.53", "echo.example", "A")
	found("echo.example", texts, err)
}

func secrets() {
	tenter.Infof("available %s", strings.Join(tenter.Secrets(), ","))
	for _, secret := range []string{"echo", "other"} {
		signed, err := tenter.HMACSHA256(secret, []byte("hello"))
		tenter.Infof("hmac %s", result(hex.EncodeToString(signed), err))
	}
}
