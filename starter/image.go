//go:build image

package main

import "github.com/framebridge/framebridge/worker/process"

// In the image both programs are one file under two names: they have most of their code in common, and it is there once.
func init() { asWorker = process.Main }
