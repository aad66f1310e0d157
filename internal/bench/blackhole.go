package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// blackhole is the cheapest mail server there is: it takes everything and
// keeps nothing, so that what is measured has the cores for itself.
type blackhole struct {
	ln   net.Listener
	open sync.Map // of net.Conn
	wg   sync.WaitGroup
}

func openBlackhole(ctx context.Context) (*blackhole, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a mail server: %w", err)
	}
	b := &blackhole{ln: ln}
	b.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			b.open.Store(c, true)
			b.wg.Go(func() {
				defer b.open.Delete(c)
				defer c.Close()
				_ = swallow(c) // the node hangs up
			})
		}
	})
	return b, nil
}

func (b *blackhole) url() string { return "smtp://" + b.ln.Addr().String() }

func (b *blackhole) close() {
	_ = b.ln.Close()
	b.open.Range(func(c, _ any) bool {
		_ = c.(net.Conn).Close()
		return true
	})
	b.wg.Wait()
}

// swallow is one conversation.
func swallow(c net.Conn) error {
	r := bufio.NewReaderSize(c, 4096)
	say := func(answer string) error {
		_, err := c.Write([]byte(answer + "\r\n"))
		return err
	}
	if err := say("220 blackhole"); err != nil {
		return err
	}
	data := false
	for {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			continue // a long line of a mail
		}
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		answer := "250 OK"
		switch {
		case data && string(line) != ".":
			continue
		case data:
			data = false
		case bytes.HasPrefix(line, []byte("DATA")):
			data, answer = true, "354 go on"
		case bytes.HasPrefix(line, []byte("QUIT")):
			_ = say("221 bye")
			return nil
		}
		if err := say(answer); err != nil {
			return err
		}
	}
}
