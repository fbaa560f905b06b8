// Command mishap fails on purpose, in the ways containers fail, so that lessons and tests have a
// real exit code, signal, probe or log to look at.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const usage = `mishap COMMAND

  exit N               end with exit code N
  crash                write to address 0: killed by SIGSEGV (exit code 139)
  abort                a child process aborts: SIGABRT (exit code 134)
  eat MEGABYTES        take and keep that much memory, a megabyte at a time
  spin                 keep one processor busy
  hang                 ignore SIGTERM: only SIGKILL ends it (exit code 137)
  sleep SECONDS        end with 0 after SECONDS, or at SIGTERM
  log LINES            print that many numbered lines, one a second, then end with 0
  last-words TEXT      write TEXT to /dev/termination-log and end with 1
  after SECONDS ...    wait, then do any of these
  serve PORT [OPTION]  answer /healthy and /ready; see mishap serve --help
`

func main() {
	if len(os.Args) < 2 {
		fail("")
	}
	do(os.Args[1], os.Args[2:])
}

func do(name string, rest []string) {
	switch name {
	case "exit":
		code := number(rest)
		fmt.Printf("mishap: ending with %d\n", code)
		os.Exit(code)
	case "crash":
		fmt.Println("mishap: writing to address 0")
		crash()
	case "abort":
		abort()
	case "die-by-abort":
		raise(syscall.SIGABRT)
	case "eat":
		eat(number(rest))
	case "spin":
		endAtTerm()
		for {
		}
	case "hang":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		fmt.Println("mishap: SIGTERM is ignored from now on")
		forever()
	case "sleep":
		endAtTerm()
		time.Sleep(time.Duration(number(rest)) * time.Second)
	case "log":
		endAtTerm()
		for line := 1; line <= number(rest); line++ {
			fmt.Printf("%s line %d\n", time.Now().UTC().Format(time.RFC3339), line)
			time.Sleep(time.Second)
		}
	case "last-words":
		if len(rest) != 1 {
			fail("last-words takes one text")
		}
		if err := os.WriteFile("/dev/termination-log", []byte(rest[0]), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	case "after":
		if len(rest) < 2 {
			fail("after takes seconds and a command")
		}
		time.Sleep(time.Duration(number(rest[:1])) * time.Second)
		do(rest[1], rest[2:])
	case "serve":
		serve(rest)
	default:
		fail("unknown command " + name)
	}
}

func number(words []string) int {
	if len(words) != 1 {
		fail("one number is wanted")
	}
	value, err := strconv.Atoi(words[0])
	if err != nil || value < 0 {
		fail("not a number: " + words[0])
	}
	return value
}

func fail(why string) {
	if why != "" {
		fmt.Fprintln(os.Stderr, "mishap:", why)
	}
	fmt.Fprint(os.Stderr, usage)
	os.Exit(64)
}

// byDefault takes Go's own handler away, so that the kernel does what it does to any program.
func byDefault(number syscall.Signal) {
	var action [4]uint64 // a zeroed struct sigaction is SIG_DFL
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(number), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}

var nowhere *int

func crash() {
	byDefault(syscall.SIGSEGV)
	*nowhere = 1
}

func raise(number syscall.Signal) {
	byDefault(number)
	_ = syscall.Kill(os.Getpid(), number)
	time.Sleep(time.Second)
}

// abort uses a child, because the first process of a container survives signals it sends itself;
// it then ends the way a shell does, with 128 plus the signal's number.
func abort() {
	child := exec.Command("/proc/self/exe", "die-by-abort")
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	fmt.Println("mishap: aborting")
	_ = child.Run()
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		os.Exit(128 + int(status.Signal()))
	}
	os.Exit(1)
}

func eat(megabytes int) {
	endAtTerm()
	var eaten [][]byte
	for count := 1; count <= megabytes; count++ {
		block := make([]byte, 1<<20)
		for at := 0; at < len(block); at += 4096 {
			block[at] = 1 // only touched pages are counted
		}
		eaten = append(eaten, block)
		if count%10 == 0 || count == megabytes {
			fmt.Printf("mishap: %d MiB eaten\n", len(eaten))
		}
		time.Sleep(5 * time.Millisecond)
	}
	forever()
	fmt.Println(len(eaten)) // keeps the blocks alive
}

// endAtTerm makes SIGTERM a quiet end with 0, as a well-behaved program does it.
func endAtTerm() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		fmt.Printf("mishap: %s, ending\n", <-signals)
		os.Exit(0)
	}()
}

func forever() {
	for {
		time.Sleep(time.Hour)
	}
}
