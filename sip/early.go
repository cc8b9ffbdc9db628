package sip

import (
	"bytes"
	"strconv"

	gosip "github.com/emiago/sipgo/sip"
)

// early is a dialog that a provisional response to an INVITE of ours has opened
// (RFC 3261 §12.1). A forked INVITE can have several.
type early struct {
	d         dialog
	rseq      uint32 // of the last reliable response, 0 before the first
	described bool   // the answer to our offer came
}

// progress takes a provisional response.
func (a *attempt) progress(res *gosip.Response) {
	a.mu.Lock()
	if !a.rings {
		a.rings = true
		close(a.ringing)
	}
	a.mu.Unlock()
	fresh := true
	if res.StatusCode > 100 && toTag(res) != "" {
		fresh = a.ring(res)
	}
	if fresh && a.out.OnState != nil {
		a.mu.Lock() // whoever has given up hears no more
		defer a.mu.Unlock()
		if a.gaveUp == nil {
			a.out.OnState(res.StatusCode)
		}
	}
}

// ring takes a provisional response of an early dialog: it is acknowledged when it
// is reliable, and heard when it has a description. It returns false when it came
// before, or too early.
func (a *attempt) ring(res *gosip.Response) bool {
	a.mu.Lock()
	d, _ := a.dialogOf(res)
	e := a.early[toTag(res)]
	if e == nil {
		e = &early{d: d}
		a.early[toTag(res)] = e
	}
	e.d.refresh(res)
	if rseq, reliable := reliability(res); reliable {
		// RFC 3262 §4: they come one by one; what is repeated was acknowledged.
		if e.rseq != 0 && rseq != e.rseq+1 {
			a.mu.Unlock()
			return false
		}
		e.rseq = rseq
		req := e.d.request(gosip.PRACK, 0)
		req.AppendHeader(header("RAck", strconv.FormatUint(uint64(rseq), 10)+" "+a.tx.req.CSeq().Value()))
		next := e.d.next()
		a.s.errands.Start(func() { a.send(e, req, next) })
	}
	a.mu.Unlock()
	if len(res.Body()) == 0 {
		return true
	}
	if !bytes.Equal(res.Body(), a.described) {
		if err := a.voice.takeAnswer(contentType(res), res.Body()); err != nil {
			a.s.log.Debug().Err(err).Msg("early media not heard")
			return true
		}
		a.described = res.Body()
		a.hear()
	}
	a.mu.Lock()
	e.described = true
	a.mu.Unlock()
	return true
}

// reliability returns the RSeq of a response that must be acknowledged.
func reliability(res *gosip.Response) (rseq uint32, ok bool) {
	if !lists(res, "Require", "100rel") {
		return 0, false
	}
	for _, value := range values(res, "RSeq") {
		n, err := strconv.ParseUint(value, 10, 32)
		return uint32(n), err == nil && n > 0
	}
	return 0, false
}

// send sends a request of an early dialog, whose answer does not matter.
func (a *attempt) send(e *early, req *gosip.Request, next gosip.Uri) {
	to, err := a.s.way(a.ctx, next, a.tx.to)
	if err == nil {
		req.AppendHeader(header("User-Agent", a.s.cfg.UserAgent))
		_, _, err = a.s.converse(a.ctx, inquiry{req: req, to: to, login: a.login, seq: func() uint32 { return a.nextSeq(e) }})
	}
	if err != nil {
		a.s.log.Debug().Err(err).Msg("PRACK not answered")
	}
}

// nextSeq returns the CSeq of another request within an early dialog.
func (a *attempt) nextSeq(e *early) uint32 {
	a.mu.Lock()
	defer a.mu.Unlock()
	e.d.seq++
	return e.d.seq
}

// dialogOf returns the dialog that res opens or belongs to, with what it has become
// by its early requests. described says that it has its answer. Callers hold mu.
func (a *attempt) dialogOf(res *gosip.Response) (d dialog, described bool) {
	d = uacDialog(a.tx.req, res, a.tx.to)
	if e := a.early[toTag(res)]; e != nil {
		d.seq, d.remoteSeq, described = e.d.seq, e.d.remoteSeq, e.described
	}
	return d, described
}

func (a *attempt) established(res *gosip.Response) (dialog, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.dialogOf(res)
}

// handle takes a request of the peer's within an early dialog (RFC 3311 §5.2): an
// UPDATE, or a question whether we live.
func (a *attempt) handle(t *serverTx, from link) {
	switch t.req.Method {
	case gosip.UPDATE:
		a.update(t)
	case gosip.OPTIONS:
		a.s.describe(t, from)
	default:
		a.s.answer(t, gosip.StatusCallTransactionDoesNotExists)
	}
}

func (a *attempt) update(t *serverTx) {
	a.mu.Lock()
	e := a.early[fromTag(t.req)]
	offer := len(t.req.Body()) > 0
	status := gosip.StatusOK
	switch {
	case e == nil:
		status = gosip.StatusCallTransactionDoesNotExists
	case e.d.remoteSeq != 0 && t.req.CSeq().SeqNo <= e.d.remoteSeq:
		status = gosip.StatusInternalServerError
	case offer && !e.described:
		status = gosip.StatusRequestPending // our own offer waits
	default:
		e.d.remoteSeq = t.req.CSeq().SeqNo
		e.d.refresh(t.req)
	}
	contact := a.s.contactFor(a.tx.to, a.tx.req.Recipient.IsEncrypted())
	a.mu.Unlock()
	if status != gosip.StatusOK {
		a.s.answer(t, status)
		return
	}
	res := a.s.reply(t.req, status, "", contact, header("Allow", allowed), a.s.supported())
	if offer {
		if err := a.voice.takeOffer(t.req); err != nil {
			status, headers := refusal(err)
			a.s.answer(t, status, headers...)
			return
		}
		body, _ := a.voice.answer()
		withSDP(res, body)
	}
	a.s.respond(t, res)
}

// longer returns the INVITE again, with a session as long as the peer insists on
// (RFC 4028 §7.3), or nil.
func (a *attempt) longer(req *gosip.Request, res *gosip.Response) *gosip.Request {
	least, ok := expiresOf(res, "Min-SE")
	asked, _ := expiresOf(req, "Session-Expires")
	if !ok || least.interval <= asked.interval {
		return nil
	}
	next := anew(req)
	for _, h := range a.s.wish(sessionTimer{}, least.interval) {
		next.ReplaceHeader(h)
	}
	return next
}

// anew returns req as another request of its own: without Via, with the next CSeq.
func anew(req *gosip.Request) *gosip.Request {
	next := req.Clone()
	next.RemoveHeader("Via")
	next.ReplaceHeader(&gosip.CSeqHeader{SeqNo: req.CSeq().SeqNo + 1, MethodName: req.Method})
	return next
}
