package mediastream_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/mediastream"
)

// certificate returns a self-signed one.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestTLSSurvivesWaitingForAudio: reads that time out must not harm the
// connection.
func TestTLSSurvivesWaitingForAudio(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet := bytes.Repeat([]byte{0xFF}, media.SampleRate)
		said := bytes.Join([][]byte{speech(8000), quiet, speech(16000), quiet, speech(8000)}, nil)
		agent := speech(30000)
		up, down, ended := &ear{}, newMouth(agent), make(chan error, 1)
		network := newMemory()
		l := tls.NewListener(network, &tls.Config{Certificates: []tls.Certificate{certificate(t)}})
		g := serve(t, mediastream.Config{Handler: answer(up, down, nil, ended)}, network, l)
		cfg := g.phone()
		cfg.SkipSilence, cfg.Record = true, true
		cfg.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := g.net.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return tls.Client(conn, &tls.Config{InsecureSkipVerify: true}), nil
		}
		call, over := dial(t, cfg, &ear{}, newMouth(said))
		time.Sleep(8 * time.Second)
		if err := call.Hangup(t.Context(), nil); err != nil {
			t.Error(err)
		}
		<-over
		if err := <-ended; media.CauseOf(err) != media.CallerHungUp {
			t.Errorf("ended with %v", err)
		}
		noViolations(t, call)
		if !bytes.HasPrefix(up.heard(), said) {
			t.Error("the caller was not heard whole")
		}
		if pieces := call.Recording(); len(pieces) != 1 || !bytes.Equal(pieces[0].Audio, agent) {
			t.Error("the agent was not heard whole")
		}
	})
}
