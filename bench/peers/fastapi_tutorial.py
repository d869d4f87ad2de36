"""The same program as the tutorial writes it: `async`, so that each hash stops everything else in its process."""
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm

from fastapi_peer import Token, User, create_token, oauth2_scheme, user_of

app = FastAPI()


@app.post("/token", response_model=Token)
async def log_in(form: OAuth2PasswordRequestForm = Depends()):
    return create_token(form)


async def get_current_user(token: str = Depends(oauth2_scheme)):
    return user_of(token)


@app.get("/users/me", response_model=User)
async def read_users_me(user: User = Depends(get_current_user)):
    return user
