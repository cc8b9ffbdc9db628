package realtime

import (
	"slices"
	"strings"
)

// What a history keeps of a conversation beside the items that it began with: the
// newest, about as much as models can read, and fewer items than may wait for a
// socket (maxControl), as they do for another connection's.
const (
	maxItems     = 768
	maxTexts     = 512 << 10 // bytes of all items
	maxText      = 64 << 10  // of one: an hour of speech
	entryPremium = 256       // that an item takes, whatever it says
)

// weigh notes that an entry has come or has grown, and lets the oldest go that
// there is no more room for.
func (h *history) weigh(e *entry) {
	weight := e.weigh()
	h.bytes += weight - e.weight
	e.weight = weight
	for len(h.entries)-h.pinned > maxItems || h.bytes > maxTexts {
		oldest := slices.IndexFunc(h.entries, func(e *entry) bool { return !e.pinned })
		if oldest < 0 || h.entries[oldest] == e {
			return
		}
		h.delete(oldest)
		h.isCut = true
	}
}

// insertAt puts an entry at an index.
func (h *history) insertAt(i int, e *entry) {
	h.entries = slices.Insert(h.entries, i, e)
	h.latest = e
	if e.pinned {
		h.pinned++
	}
	h.weigh(e)
}

// delete removes the entry at an index.
func (h *history) delete(i int) {
	e := h.entries[i]
	h.bytes -= e.weight
	e.weight = 0
	if e.pinned {
		h.pinned--
	}
	h.entries = slices.Delete(h.entries, i, i+1)
	h.latest = nil
}

// replace puts what is kept of the entries in their place.
func (h *history) replace(kept []*entry) {
	h.entries, h.latest, h.pinned, h.bytes = kept, nil, 0, 0
	for _, e := range kept {
		h.bytes += e.weight
		if e.pinned {
			h.pinned++
		}
	}
}

// weigh returns how many bytes the entry takes, roughly; those that the
// conversation began with are not counted.
func (e *entry) weigh() int {
	if e.pinned {
		return 0
	}
	n := entryPremium + len(e.item.ID) + len(e.item.CallID) + len(e.item.Name) + len(e.item.Arguments) + toolsSize(e.item.Tools)
	if e.item.Output != nil {
		n += len(*e.item.Output)
	}
	for _, c := range e.item.Content {
		n += len(c.Text) + len(c.Transcript) + len(c.Audio)
	}
	return n + e.textLength()
}

func (e *entry) textLength() (n int) {
	for _, part := range e.parts {
		n += len(part)
	}
	return n
}

// say sets the text of a content part; add adds to it. Neither makes the item's
// text longer than maxText.
func (e *entry) say(index int, text string) {
	part := e.part(index)
	*part = shorten(text, maxText-e.textLength()+len(*part))
}

func (e *entry) add(index int, text string) {
	*e.part(index) += shorten(text, maxText-e.textLength())
}

// lean returns an item of the server's without what a history does not keep: its
// audio, and what is longer than any that a server would take back.
func (i Item) lean() Item {
	i.Content = slices.Clone(i.Content)
	for n := range i.Content {
		c := &i.Content[n]
		c.Audio, c.Text, c.Transcript = "", shorten(c.Text, maxText), shorten(c.Transcript, maxText)
	}
	if len(i.Arguments) > maxText {
		i.Arguments, i.Status = "", "incomplete" // half of an object is none
	}
	if i.Output != nil {
		output := shorten(*i.Output, maxText)
		i.Output = &output
	}
	if toolsSize(i.Tools) > maxText {
		i.Tools = nil
	}
	return i
}

func toolsSize(tools []MCPTool) (n int) {
	for _, t := range tools {
		n += len(t.Name) + len(t.Description) + len(t.InputSchema)
	}
	return n
}

// shorten returns the first n bytes of a text, back to the end of a character.
func shorten(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.Clone(strings.ToValidUTF8(text[:max(0, n)], ""))
}
