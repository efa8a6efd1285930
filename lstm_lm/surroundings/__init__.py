"""What is around a program: its environment, proxies, ports, streams and files."""
