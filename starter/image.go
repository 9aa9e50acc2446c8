//go:build image

package main

import "github.com/framebridge/framebridge/worker/process"

// In the image both programs are one file with two names, because they share most of their code.
func init() { asWorker = process.Main }
