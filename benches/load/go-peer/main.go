// A rival of the load benches: a server of Go's net/http with the endpoints of the Hinny application.
//
// Built as Go's TechEmpower entry is: the standard library alone, its default multiplexer, encoding/json with reflection,
// the default garbage collector. GOMAXPROCS is LOOPS, by default one a core, as the entry and Go itself have it. Go takes
// the backlog from the kernel (net.core.somaxconn), which it cannot be told.
//
// Usage: go-peer LOOPS PORT; port 0 is a free one.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
)

// What /json answers.
type message struct {
	Message string `json:"message"`
}

var plaintext = []byte("Hello, World!")

func answer(writer http.ResponseWriter, contentType string, body []byte) {
	headers := writer.Header()
	headers.Set("Server", "Go")
	headers.Set("Content-Type", contentType)
	// A client that has gone away is an error here; it concerns nobody else.
	_, _ = writer.Write(body)
}

func answerPlaintext(writer http.ResponseWriter, _ *http.Request) {
	answer(writer, "text/plain", plaintext)
}

func answerJSON(writer http.ResponseWriter, _ *http.Request) {
	body, err := json.Marshal(&message{"Hello, World!"})
	if err != nil {
		http.Error(writer, "", http.StatusInternalServerError)
		return
	}
	answer(writer, "application/json", body)
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: go-peer LOOPS PORT")
	}
	loops, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	runtime.GOMAXPROCS(loops)
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", os.Args[2]))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/plaintext", answerPlaintext)
	http.HandleFunc("/json", answerJSON)
	fmt.Printf("listening on %s\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
