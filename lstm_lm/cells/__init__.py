"""What a recurrent cell is: its signals, its equations, and the ways through its weights."""
