// Package tenter makes a Go program a Tenter module: a component that the runtime calls at the moments it registered
// for.
//
//	package main
//
//	import "tenter"
//
//	func init() {
//		tenter.Export(tenter.Module{
//			Title:   "Label addresses",
//			Version: "0.1.0",
//			Configure: func(config tenter.Config, on *tenter.Registrar) error {
//				on.OnEntityCreation("ip", func(task tenter.Task) ([]tenter.Task, error) {
//					return tenter.NewTask(task.Entity).Plain("label", "seen").List(), nil
//				})
//				return nil
//			},
//		})
//	}
//
//	func main() {}
//
// Handlers return errors: InvalidInput blames the data, Unavailable what is outside (the host tries again where the
// kind of hook has retries), any other the module. A panic becomes such a failure too, with its stack in the log.
//
// An instance may be dropped between any two calls: variables are a cache, StateGet and StateSet keep what must last.
package tenter
