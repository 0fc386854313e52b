"""The broker connection. The one home of paho."""
