from pathlib import Path
def write_page(found):
    return Path(__file__).resolve()
