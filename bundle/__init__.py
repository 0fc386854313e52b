"""What a site without internet needs, in one archive an architecture: `make bundle`. No part of the wheel."""
