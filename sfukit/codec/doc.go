// Package codec reads what an SFU must know from RTP payloads: where a picture
// starts, whether a decoder can begin there, and how large and how layered it
// is. Package rewrite makes one continuous stream from what is read here.
//
// Nothing is decoded and nothing allocates. Every function accepts any bytes:
// lengths claimed inside a payload are checked against the payload, and the
// work done is bounded by its size.
package codec
