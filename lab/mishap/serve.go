package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

const serveHelp = `mishap serve PORT [OPTION]

  GET  /healthy, /ready            200 "ok" or 503 "switched off"
  POST /healthy/on, /healthy/off   switch it (the same for /ready)
  POST /exit?code=N                end the program
  any other path                   200 and the pod's name

`

// serve answers probes; both answers can be switched by hand or by the clock.
func serve(words []string) {
	options := flag.NewFlagSet("serve", flag.ExitOnError)
	options.Usage = func() {
		fmt.Fprint(os.Stderr, serveHelp)
		options.PrintDefaults()
	}
	readyAfter := options.Float64("ready-after", 0, "not ready for the first `SECONDS`")
	unreadyAfter := options.Float64("unready-after", 0, "not ready any more after `SECONDS`")
	unhealthyAfter := options.Float64("unhealthy-after", 0, "not healthy any more after `SECONDS`")
	slow := options.Float64("slow", 0, "wait `SECONDS` before each answer")
	if len(words) == 0 || words[0][0] == '-' {
		options.Usage()
		os.Exit(64)
	}
	_ = options.Parse(words[1:])

	var healthy, ready atomic.Bool
	healthy.Store(true)
	ready.Store(*readyAfter == 0)
	at(*readyAfter, func() { ready.Store(true) })
	at(*unreadyAfter, func() { ready.Store(false) })
	at(*unhealthyAfter, func() { healthy.Store(false) })

	mux := http.NewServeMux()
	answer("healthy", &healthy, mux)
	answer("ready", &ready, mux)
	mux.HandleFunc("POST /exit", func(_ http.ResponseWriter, request *http.Request) {
		do("exit", []string{request.URL.Query().Get("code")})
	})
	mux.HandleFunc("/", func(writer http.ResponseWriter, _ *http.Request) {
		name, _ := os.Hostname()
		fmt.Fprintln(writer, name)
	})
	delayed := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		time.Sleep(time.Duration(*slow * float64(time.Second)))
		mux.ServeHTTP(writer, request)
	})
	endAtTerm()
	fmt.Printf("mishap: serving on port %s\n", words[0])
	if err := http.ListenAndServe(":"+words[0], delayed); err != nil {
		fmt.Fprintln(os.Stderr, "mishap:", err)
		os.Exit(1)
	}
}

func at(seconds float64, action func()) {
	if seconds > 0 {
		time.AfterFunc(time.Duration(seconds*float64(time.Second)), action)
	}
}

func answer(name string, state *atomic.Bool, mux *http.ServeMux) {
	mux.HandleFunc("GET /"+name, func(writer http.ResponseWriter, _ *http.Request) {
		if state.Load() {
			fmt.Fprintln(writer, "ok")
			return
		}
		http.Error(writer, "switched off", http.StatusServiceUnavailable)
	})
	for position, value := range map[string]bool{"on": true, "off": false} {
		mux.HandleFunc("POST /"+name+"/"+position, func(writer http.ResponseWriter, _ *http.Request) {
			state.Store(value)
			fmt.Printf("mishap: %s switched %s\n", name, position)
			fmt.Fprintln(writer, position)
		})
	}
}
