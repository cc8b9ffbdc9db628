package jsonscan

// skip finds the end of the value that begins at i, without recursion: bit n of
// objects tells whether the n-th open value is an object or an array.
func skip(b []byte, i int) (end int, err error) {
	var objects uint64
	depth := 0
	for {
		// A value begins at i.
		if i >= len(b) {
			return i, ErrSyntax
		}
		opened := false
		switch c := b[i]; c {
		case '{', '[':
			if depth == MaxDepth {
				return i, ErrDepth
			}
			objects <<= 1
			if c == '{' {
				objects |= 1
			}
			depth++
			i = space(b, i+1)
			opened = true
		case '"':
			var ok bool
			if i, _, ok = text(b, i+1); !ok {
				return i, ErrSyntax
			}
			i++
		default:
			var ok bool
			if i, ok = scalar(b, i); !ok {
				return i, ErrSyntax
			}
		}

		// Behind a value, or inside a new one: close what ends here.
		for depth > 0 {
			if !opened {
				i = space(b, i)
			}
			if i >= len(b) {
				return i, ErrSyntax
			}
			closing := byte(']')
			if objects&1 == 1 {
				closing = '}'
			}
			if b[i] != closing {
				break
			}
			i++
			objects >>= 1
			depth--
			opened = false
		}
		if depth == 0 {
			return i, nil
		}
		if !opened {
			if b[i] != ',' {
				return i, ErrSyntax
			}
			i = space(b, i+1)
		}
		if objects&1 == 1 {
			var ok bool
			if i, ok = name(b, i); !ok {
				return i, ErrSyntax
			}
		}
	}
}

// name reads a member's name and colon and the space behind them.
func name(b []byte, i int) (end int, ok bool) {
	if i >= len(b) || b[i] != '"' {
		return i, false
	}
	if i, _, ok = text(b, i+1); !ok {
		return i, false
	}
	if i = space(b, i+1); i >= len(b) || b[i] != ':' {
		return i, false
	}
	return space(b, i+1), true
}

// scalar reads a number, true, false or null.
func scalar(b []byte, i int) (end int, ok bool) {
	for _, word := range [...]string{"true", "false", "null"} {
		if b[i] == word[0] {
			if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
				return i, false
			}
			return i + len(word), true
		}
	}
	return number(b, i)
}
