// Package httptool is a tool of the model that is an HTTP request: what the
// model calls as a function goes to an operator's endpoint, and what that
// answers goes back to the model.
//
// # The request
//
// POST, PUT and PATCH carry a JSON body:
//
//	{
//	  "call": {"id": "…", "from": "+14155550123", "to": "+14155550100", "agent": "reception"},
//	  "tool_call_id": "call_…",
//	  "name": "get_weather",
//	  "arguments": {"city": "Bonn"}
//	}
//
// GET and DELETE put the arguments in the query instead; arrays and objects go as
// JSON text, null is left out. Every request names the call in Callgw-Call-Id and
// Callgw-Tool-Call-Id. Placeholders in the path or the query of the URL, such as
// https://api.example.com/weather/{city}, are filled from the arguments, escaped;
// they cannot change which host is asked or leave their path segment.
//
// # The signature
//
// With a secret, each request has a header that [VerifyRequest] and [Verify]
// check:
//
//	Callgw-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<payload>">
//
// The payload is the body's bytes; without a body it is the request URI, path
// and query as on the request line.
//
// # Retries
//
// A request is tried again only where that is safe: when its method is
// idempotent (RFC 9110 §9.2.2: GET, PUT, DELETE), or the endpoint is declared
// so and gets an Idempotency-Key, which is the tool call's id. Connection
// errors, time-outs and the statuses 429, 502, 503 and 504 are worth another
// try, up to [MaxAttempts], Retry-After being honoured, and never beyond the
// context's deadline.
//
// # What is protected
//
// Headers and the secret appear in no error and are blanked in answers. Answers
// are bounded. A redirect is followed only on the same host with the same method.
// Which host is asked is the operator's decision alone: requests to private
// addresses are allowed, since that is where tools often live. An endpoint is
// trusted by its URL, so use https outside a private network.
//
// The package logs nothing and starts no goroutine of its own; those of
// idle connections belong to the [http.Client] that the caller passes. Of this
// module it imports only internal/toolschema.
package httptool
