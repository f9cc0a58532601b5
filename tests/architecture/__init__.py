"""The rules of the house, held on whatever modules there are."""
